"""The director's remarks that fall into the period of a chart."""

from __future__ import annotations

from datetime import date

from reports.charts import Annotation
from safety.access import Action, Actor, guarded
from safety.annotations import Remark, remarks
from safety.store.handle import Store


@guarded(Action.READ_RATES)
def remarks_between(store: Store, actor: Actor, first: date, last: date) -> tuple[Remark, ...]:
    """The remarks from ``first`` to ``last``, both days included, in the order of the days."""
    return tuple(each for each in remarks(store, actor) if first <= each.day <= last)


def for_chart(found: tuple[Remark, ...]) -> tuple[Annotation, ...]:
    """The same as the charts carry them: the label is the day."""
    return tuple(Annotation(each.day.isoformat(), each.text) for each in found)
