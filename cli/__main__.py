"""Lets `python -m cli` be the command `etappe`; that is how one part of a running Etappe starts another."""

from __future__ import annotations

import sys

from cli.main import main

sys.exit(main())
