"""``python -m lambda_adapter COMMAND ARGUMENT...``."""

import sys

from lambda_adapter.cli import main

sys.exit(main())
