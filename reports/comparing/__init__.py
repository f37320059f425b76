"""Comparison of two arms: differences, ratios, strata, exact tests, many terms, clustered sessions.

Pure functions: numbers in, frozen values out. Everything is *arm against reference*: a difference
is arm minus reference, a ratio is arm over reference.

- :mod:`~reports.comparing.arms`: the counts of an arm, and a comparison with its limits
- :mod:`~reports.comparing.differences`: Newcombe (the default), Miettinen-Nurminen, Wald
- :mod:`~reports.comparing.ratios`: risk ratio (Miettinen-Nurminen, the default; Katz)
- :mod:`~reports.comparing.odds`: odds ratio (Woolf; exact conditional and mid-p)
- :mod:`~reports.comparing.exact`: Fisher's test and its mid-p
- :mod:`~reports.comparing.stratified`: Mantel-Haenszel and stratified Miettinen-Nurminen
- :mod:`~reports.comparing.homogeneity`: Cochran-Mantel-Haenszel and Breslow-Day tests
- :mod:`~reports.comparing.multiplicity`: false discovery rates, in one level and in two
- :mod:`~reports.comparing.clustered`: sessions that cluster in patients, who may be in both arms;
  from sums over patients (:mod:`~reports.comparing.patients`), with the variance of
  :mod:`~reports.comparing.sandwich` and the limits of :mod:`~reports.comparing.mover`

A p value and an interval of different methods may disagree at the border: they answer slightly
different questions. Each carries its method's name.
"""
