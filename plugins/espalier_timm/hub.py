"""The Hugging Face hub, asked once: an unreachable one costs two seconds in the life of a process, not more."""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

DEADLINE_S = 2.0
FILE = "model.safetensors"


def cached(repository: str) -> Path | None:
    """The weights as the hub's own cache on this disk has them."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(repository, FILE)
    return Path(found) if isinstance(found, str) else None


def fetch(repository: str) -> tuple[Path | None, str]:
    """Download the weights: (path, "") or (None, why not)."""
    refused = unreachable(endpoint())
    if refused:
        return None, refused
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repository, FILE, etag_timeout=DEADLINE_S)), ""
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        return None, f"the hub gave no {repository}/{FILE}: {str(error).splitlines()[0]}"


def endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


@cache
def unreachable(address: str) -> str:
    """Why the hub cannot be asked, or an empty string. Remembered for the process.

    The hub's client tries again and again for minutes; one request with a deadline says beforehand whether it may.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return "the hub is switched off by HF_HUB_OFFLINE"
    if not address.startswith(("https://", "http://")):
        return f"HF_ENDPOINT={address!r} is not an http address"
    answer: list[str] = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - the scheme was looked at above
        try:
            urllib.request.urlopen(request, timeout=DEADLINE_S).close()  # noqa: S310
            answer.append("")
        except urllib.error.HTTPError as error:
            error.close()
            answer.append("" if error.code < 500 else f"{address} answered {error.code}")
        except (OSError, ValueError) as error:
            answer.append(f"{address} cannot be reached ({getattr(error, 'reason', error)})")

    # Looking up a name has no deadline of its own, so it is given one from outside.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    return answer[0] if answer else f"{address} did not answer within {DEADLINE_S:g} s"
