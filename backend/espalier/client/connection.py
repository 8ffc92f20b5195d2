"""The connection: requests and their answers, and jobs that are waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

import requests

from .answers import Job, Run, made
from .problem import Problem

_POLL_S = (0.1, 2.0)


Client = TypeVar("Client", bound="Connection")


class Connection:
    """Asks, waits for what a worker does, and raises Problem in the server's words."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:9090",
        token: str = "",
        *,
        user: str = "",
        password: str = "",
        timeout_s: float = 60.0,
        patience_s: float = 3600.0,
    ) -> None:
        self.url = url.rstrip("/")
        self.timeout_s, self.patience_s = timeout_s, patience_s
        self._session = requests.Session()
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        elif user:
            self._session.auth = (user, password)

    def __enter__(self: Client) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def run(self, run: str) -> Run:
        return made(Run, self.ask("GET", f"/runs/{run}"))

    def job(self, job: str) -> Job:
        return made(Job, self.ask("GET", f"/jobs/{job}"))

    def cancel(self, job: str) -> Job:
        return made(Job, self.ask("POST", f"/jobs/{job}/cancel"))

    def follow(self, job: str) -> Iterator[Job]:
        """The job, whenever there is news of it; ends with its end. By server-sent events."""
        while True:
            with self._send("GET", f"/jobs/{job}/events", stream=True) as response:
                for line in response.iter_lines():
                    if line.startswith(b"data: "):
                        told = made(Job, json.loads(line[6:]))
                        yield told
                        if told.is_over:
                            return

    def wait(self, job: str) -> Job:
        """The job when it is over, however it ended. Raises TimeoutError."""
        until, pause_s = time.monotonic() + self.patience_s, _POLL_S[0]
        while not (found := self.job(job)).is_over:
            if time.monotonic() > until:
                raise TimeoutError(f"job {job} is not over after {self.patience_s:.0f} s: {found.message}")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _POLL_S[1])
        return found

    def wait_for_run(self, run: str) -> Run:
        """The run when it is over."""
        self.wait(self.run(run).job)
        return self.run(run)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        kind: str = "application/json",
    ) -> Any:
        """Any address below /api/v1: its JSON, or its bytes where it is none. What is not ready is waited for."""
        if data is None and body is not None:
            data = json.dumps(body).encode()
        headers = {"Content-Type": kind} if data is not None else {}
        response = self._send(method, path, data=data, headers=headers, params=query)
        if response.status_code == 202:
            told = response.json()
            self.wait(told["job"])
            return self._read(self._send("GET", f"/jobs/{told['job']}/result"))["result"]
        return self._read(response)

    def pages(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """The items of a list, page after page."""
        limit, offset = 200, 0
        while True:
            items = self.ask("GET", path, query={**(query or {}), "limit": limit, "offset": offset})["items"]
            yield from items
            if len(items) < limit:
                return
            offset += limit

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        try:
            response = self._session.request(method, f"{self.url}/api/v1{path}", timeout=self.timeout_s, **more)
        except requests.RequestException as error:
            raise Problem(0, "not-answering", f"nobody answers at {self.url}: {error}") from error
        if response.status_code < 400:
            return response
        try:
            told = response.json()
        except ValueError:
            raise Problem(response.status_code, "", f"{self.url} answered with status {response.status_code}") from None
        kind = str(told.get("type", "")).rpartition(":")[2]
        raise Problem(response.status_code, kind, str(told.get("detail") or told.get("error") or told))

    @staticmethod
    def _read(response: requests.Response) -> Any:
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return response.json() if is_json else response.content
