"""Asking a neighbour for the exits that one lacks (wire.md, "Comparing exits in version 2"): one query at a time."""

from __future__ import annotations

import os

from .errors import Malformed
from .messages_2 import MOST_WANTED, ExitAnswer, ExitQuery
from .ranges import ALL, MOST_RANGES, ExitSet, Range, read_answer


class Search:
    """What is asked of one neighbour in one session."""

    def __init__(self) -> None:
        self.salt = os.urandom(16)
        self.queries = 0
        self.known_there = 0
        self.asked: ExitQuery | None = None
        self._open: list[Range] = []
        self._wanted: list[bytes] = []

    def begin(self, known: ExitSet) -> ExitQuery:
        """Returns the first query of a comparison, which names no ranges."""
        self._open, self._wanted = [], []
        return self._ask(known, (), ())

    def hear(self, answer: ExitAnswer, known: ExitSet) -> ExitQuery | None:
        """Returns the next query, or None when the comparison has ended. The exits that were wanted came before."""
        if not self.asked or answer.number > self.asked.number:
            raise Malformed("an answer that nobody asked for")
        if answer.number < self.asked.number:
            return None
        asked, self.asked = self.asked, None
        answers = read_answer(asked.ranges, answer.answers)
        self.known_there = answer.exits
        if answer.fingerprint == known.fingerprint(self.salt):
            return None
        if not asked.ranges and not asked.wanted:
            self._open = [ALL]
        for said in answers:
            self._wanted += [node_id for node_id in said.ids if node_id not in known]
            self._open += [
                part for part, fingerprint in said.parts if fingerprint != known.fingerprint(self.salt, part)
            ]
        self._open.sort()
        ranges, self._open = self._open[:MOST_RANGES], self._open[MOST_RANGES:]
        wanted, self._wanted = self._wanted[:MOST_WANTED], self._wanted[MOST_WANTED:]
        return self._ask(known, tuple(ranges), tuple(wanted)) if ranges or wanted else None

    def _ask(self, known: ExitSet, ranges: tuple[Range, ...], wanted: tuple[bytes, ...]) -> ExitQuery:
        self.queries += 1
        self.asked = ExitQuery(self.salt, self.queries, known.fingerprint(self.salt), ranges, wanted)
        return self.asked
