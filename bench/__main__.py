"""`make bench`: ratios measured side by side in one run, each with the limit it is compared to."""

from __future__ import annotations

import subprocess
import sys

PARTS = (
    "video",
    "learning",
    "accuracy",
    "dynamic",
    "label_quality",
    "tuning",
    "index",
    "protocol",
    "live",
    "pages",
    "bundle",
    "labelstudio",
)


def main() -> None:
    chosen = sys.argv[1:] or PARTS
    for part in chosen:
        print(f"\n## {part}\n", flush=True)
        # Each part in a process of its own: thread counts and warm libraries of one must not help the next.
        subprocess.run([sys.executable, "-m", f"bench.{part}"], check=True)


if __name__ == "__main__":
    main()
