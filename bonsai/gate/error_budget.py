"""One budget of errors for all nights of a home: at which level may the next night claim progress?

A gate that tests every night at 5 % promotes some twenty lucky seeds a year. LORD++ spends a budget instead: each look
costs a little of it, less the longer nothing was found, and each promotion earns some back. The expected share of wrong
promotions among all promotions (the false discovery rate) then stays below the budget, however many nights there are.
New question pools are new looks by the same owner, so they earn nothing back.

Source: Ramdas, Yang, Wainwright & Jordan, "Online control of the false discovery rate with decaying memory", NeurIPS
2017, https://arxiv.org/abs/1710.00499 (LORD++). The weights of `share_of_budget`: Javanmard & Montanari, "Online rules
for control of false discovery rate and false discovery exceedance", Annals of Statistics 46 (2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NORM = 0.079
"Makes the shares of all later looks sum to 1 (0.9990, the tail beyond two million looks integrated)."


def level(looks: Sequence[bool], budget: float) -> float:
    """One-sided error level of the next night's claim of progress.

    `looks` has one entry for each night that was judged for progress, oldest first; True: it was promoted. `budget` is
    the share of promotions that may be wrong in the long run; half of it is there at the start.
    """
    now, start = len(looks) + 1, budget / 2
    promoted = [number for number, won in enumerate(looks, start=1) if won]
    earned = [budget - start] * len(promoted[:1]) + [budget] * len(promoted[1:])
    spent_now = (one * share_of_budget(now - number) for one, number in zip(earned, promoted, strict=True))
    return start * share_of_budget(now) + math.fsum(spent_now)


def share_of_budget(look: int) -> float:
    """Share of what was there at the start, or earned by a promotion, that the `look`-th night after it may spend."""
    return NORM * math.log(max(look, 2)) / (look * math.exp(math.sqrt(math.log(look))))
