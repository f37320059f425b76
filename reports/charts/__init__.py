"""Control charts, which say whether a rate of this clinic has moved from where it was.

Numbers in, :class:`~reports.charts.points.Chart` out; nothing here knows a store or a page.

| question | chart |
| --- | --- |
| share of sessions with the event, period by period | :func:`p_chart` |
| events per session or per month, period by period | :func:`u_chart` |
| the same, sessions clustered | either, with ``limits="laney"`` |
| so rare that most periods have none | :func:`g_chart` (sessions), :func:`t_chart` (time) |
| a small lasting shift | :func:`ewma_p`, :func:`ewma_u` |
| a stated shift, watched session by session | :func:`bernoulli_cusum`, :func:`poisson_cusum` |

A change of reporting (training, a new form) looks like a change of safety on every one of them:
annotate it.
"""

from reports.charts.cusum import Case, bernoulli_cusum, poisson_cusum
from reports.charts.ewma import Smoothing, ewma_p, ewma_u
from reports.charts.points import Annotation, Baseline, Chart, Period, Point, Settings
from reports.charts.rare import Gap, Running, g_chart, gaps_between, t_chart
from reports.charts.rules import RULE_SETS, RULES, Rule
from reports.charts.runlength import Threshold, bernoulli_threshold, poisson_threshold
from reports.charts.shewhart import LIMITS, p_chart, u_chart

__all__ = [
    "LIMITS",
    "RULES",
    "RULE_SETS",
    "Annotation",
    "Baseline",
    "Case",
    "Chart",
    "Gap",
    "Period",
    "Point",
    "Rule",
    "Running",
    "Settings",
    "Smoothing",
    "Threshold",
    "bernoulli_cusum",
    "bernoulli_threshold",
    "ewma_p",
    "ewma_u",
    "g_chart",
    "gaps_between",
    "p_chart",
    "poisson_cusum",
    "poisson_threshold",
    "t_chart",
    "u_chart",
]
