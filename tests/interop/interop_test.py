"""Runs the second implementation: all vectors, and if the programs are given, a life and attacks beside them.

Usage: interop_test.py [--unlearnd FILE --unlearnctl FILE] [NAME...]
"""

from __future__ import annotations

import argparse
import sys
import unittest

import devices

MODULES = (
    "vectors_test",
    "life_test",
    "life_2_test",
    "attacks_test",
    "attacks_2_test",
    "copies_test",
    "fleet_test",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unlearnd", default="", help="the daemon; without it only the vectors are checked")
    parser.add_argument("--unlearnctl", default="", help="its command-line program")
    parser.add_argument("names", nargs="*", help="tests as unittest names them; default: all")
    options = parser.parse_args()
    if bool(options.unlearnd) != bool(options.unlearnctl):
        parser.error("give --unlearnd and --unlearnctl together")
    devices.PROGRAMS.unlearnd, devices.PROGRAMS.unlearnctl = options.unlearnd, options.unlearnctl
    names = options.names or (MODULES if options.unlearnd else MODULES[:1])
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
