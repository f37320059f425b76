"""Looking at the same count week after week without crying wolf.

A 5 % test repeated every week is wrong far more often than once in twenty. Here the limit belongs
to the whole row of looks: under an unchanged risk the chance that *any* of them signals is at most
``alpha``, and that chance is worked out exactly, look by look, over every count that can arise.

Two ways to set the limit:

- **spending** (:func:`poisson_spending`, :func:`binomial_spending`), the default for weekly looks.
  Each look may spend what its share of the planned ``horizon`` allows. The limit of a look depends
  on the looks up to it and on nothing later, so a decision that was made is never changed by weeks
  that had not happened. Only the horizon (the sessions or expected events at which surveillance
  would end) must be written down beforehand.
- **MaxSPRT** (:func:`poisson_limit`, :func:`poisson_limit_continuous`, :func:`binomial_limit`;
  Kulldorff et al. 2011): one flat critical value of the log likelihood ratio for every look. It
  depends on the plan, that is, on the sizes of all looks, those to come included. Fix the plan
  before the first look and keep it: with other sizes than planned the false-alarm probability is
  no longer exactly the one printed.

:func:`walk` then goes through real counts and names the first look that signals. The baseline must
come from before the surveillance and is taken as known; sessions are taken as independent, so an
event that keeps coming back in the same patients signals too easily.
"""

from __future__ import annotations

from reports.sequential.limits import (
    Limit,
    binomial_limit,
    poisson_limit,
    poisson_limit_continuous,
)
from reports.sequential.models import Binomial, Poisson, matched_baseline
from reports.sequential.spending import binomial_spending, poisson_spending
from reports.sequential.walking import Step, Walk, walk

__all__ = [
    "Binomial",
    "Limit",
    "Poisson",
    "Step",
    "Walk",
    "binomial_limit",
    "binomial_spending",
    "matched_baseline",
    "poisson_limit",
    "poisson_limit_continuous",
    "poisson_spending",
    "walk",
]
