# SPDX-License-Identifier: MIT
"""The table of the bench: rows that were measured, and rows that could not be."""
import sys

HEAD = ("what", "peer", "ours", "ratio", "mark", "")


def seconds(us):
    """Microseconds as people read them."""
    if us < 1000:
        return f"{us:.0f} µs"
    if us < 1000000:
        return f"{us / 1000:.2f} ms"
    return f"{us / 1000000:.2f} s"


def plain(value):
    return f"{value:,.0f}"


class Table:
    def __init__(self, only):
        self.only = only
        self.rows = []

    def wants(self, what):
        """Whether this row is to be measured; says so, for some take a while."""
        if self.only not in what:
            return False
        print(f"bench: {what}", file=sys.stderr)
        return True

    def add(self, what, peer, ours, show=plain, ratio=None, ratio_min=None, at_most=None,
            note=""):
        """One row: `ratio` and `ratio_min` are marks for ours/peer, `at_most` for ours alone;
        without either the row is for information. A peer that is a string is
        quoted, not measured."""
        measured = peer is not None and not isinstance(peer, str) and peer > 0
        found = ours / peer if measured else None
        mark, ok = note, ""
        if ratio is not None:
            mark = f"≤ {ratio}×"
            ok = ("ok" if found <= ratio else "over") if measured else "no peer"
        elif ratio_min is not None:
            mark = f"≥ {ratio_min}×"
            ok = ("ok" if found >= ratio_min else "under") if measured else "no peer"
        elif at_most is not None:
            mark = f"≤ {show(at_most)}"
            ok = "ok" if ours <= at_most else "over"
        self.rows.append((what, show(peer) if measured else peer or "–", show(ours),
                          f"{found:.2f}×" if measured else "–", mark, ok))

    def skip(self, what, why):
        self.rows.append((what, "", "", "", "", f"skipped: {why}"))

    def print(self):
        rows = [HEAD] + self.rows
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
        for row in rows:
            left, middle, right = row[:1], row[1:4], row[4:]
            print("  ".join(
                [text.ljust(width) for text, width in zip(left, widths)] +
                [text.rjust(width) for text, width in zip(middle, widths[1:])] +
                [text.ljust(width) for text, width in zip(right, widths[4:])]).rstrip())
