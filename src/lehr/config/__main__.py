"""``python -m lehr.config``: write or check the generated files."""

import sys

from lehr.config.generate import main

sys.exit(main())
