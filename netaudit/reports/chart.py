"""The time-line drawn: the same chart gives the same bytes, as PNG and as SVG."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from netaudit.reports.document import Chart

_HOURS_OF_DAY = 24
_COVER, _GAP, _NOTICE, _MARK = "#4c78a8", "#f2b6ab", "#b3261e", "#1f1f1f"


def draw(chart: Chart, format_: str) -> bytes:
    """A chart as ``png`` or ``svg`` bytes."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {"svg.hashsalt": "netaudit", "svg.fonttype": "path", "font.family": "DejaVu Sans"}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(6.9, 0.85 + 0.17 * max(len(chart.rows), 2)), dpi=160, layout="constrained")
        canvas: Any = FigureCanvasSVG(figure) if format_ == "svg" else FigureCanvasAgg(figure)
        _paint(figure.subplots(), chart)
        out = io.BytesIO()
        metadata = {"Date": None, "Creator": None} if format_ == "svg" else {"Software": None}
        canvas.figure.savefig(out, format=format_, metadata=metadata)
    return out.getvalue()


def _paint(axes: Any, chart: Chart) -> None:
    def hours(at: dt.datetime) -> float:
        return (at - chart.start).total_seconds() / 3600

    length = hours(chart.end)
    for index, row in enumerate(chart.rows):
        for bar in row.bars:
            width = max(hours(bar.end) - hours(bar.start), length / 400)
            axes.barh(
                index,
                width,
                left=hours(bar.start),
                height=0.46,
                zorder=2.5 if bar.gap else 2,
                color=_GAP if bar.gap else _COVER,
                hatch="////" if bar.gap else None,
                edgecolor="white" if not bar.gap else _NOTICE,
                linewidth=0.4,
            )
        _marks(axes, [(hours(m.at), m.label) for m in row.marks], index, length)
    if chart.moment is not None:
        axes.axvline(hours(chart.moment), color=_NOTICE, linewidth=1.2, zorder=3)
        axes.annotate(
            chart.moment_label,
            (hours(chart.moment), -0.9),
            xytext=(-4, -6),
            ha="right",
            fontsize=7,
            zorder=5,
            textcoords="offset points",
            color=_NOTICE,
        )
        if chart.until is not None:
            axes.axvspan(hours(chart.moment), hours(chart.until), color=_NOTICE, alpha=0.25, zorder=1)
    axes.set_yticks(range(len(chart.rows)), [row.label for row in chart.rows])
    axes.set_ylim(len(chart.rows) - 0.4, -0.95)
    axes.set_xlim(0, length)
    ticks = _ticks(chart, length)
    axes.set_xticks(list(ticks), list(ticks.values()), fontsize=7)
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.set_xlabel(f"{_days(chart)} ({chart.timezone})", fontsize=8)
    axes.grid(axis="x", color="#dddddd", linewidth=0.5, zorder=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _ticks(chart: Chart, length: float) -> dict[int, str]:
    """Hours of one day, or the midnights of several; never more than fit."""
    if length <= _HOURS_OF_DAY:
        return {hour: f"{hour:02d}:00" for hour in range(0, int(length) + 1, 2)}
    days = int(length / _HOURS_OF_DAY)
    step = 1 + days // 10
    return {
        _HOURS_OF_DAY * n: f"{chart.start + dt.timedelta(days=n):%m-%d}" for n in range(0, days + 1, step)
    }


def _days(chart: Chart) -> str:
    first, last = chart.start, chart.end - dt.timedelta(days=1)
    return f"{first:%Y-%m-%d}" if first >= last else f"{first:%Y-%m-%d} - {last:%Y-%m-%d}"


def _marks(axes: Any, marks: list[tuple[float, str]], index: int, length: float) -> None:
    """Triangles over the row; labels of near neighbours are joined, so that none covers another."""
    groups: list[tuple[float, list[str]]] = []
    for at, label in sorted(marks):
        if groups and at - groups[-1][0] < length / 14:
            groups[-1][1].append(label)
        else:
            groups.append((at, [label]))
        axes.plot([at], [index - 0.32], marker="v", markersize=5, color=_MARK, zorder=4)
    for at, labels in groups:
        right = at > length * 0.85
        axes.annotate(
            ",".join(labels),
            (at, index - 0.32),
            xytext=(-4 if right else 4, 2),
            fontsize=7,
            zorder=5,
            textcoords="offset points",
            ha="right" if right else "left",
            color=_MARK,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )
