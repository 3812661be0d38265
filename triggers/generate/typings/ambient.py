"""The part of every Python stub that has nothing to do with its trigger."""

from __future__ import annotations

from typing import Final

AMBIENT: Final = '''
_Bytes = bytes

class Record(dict[str, Any]):
    """An object of the event: a dict whose items are attributes too."""

class OpenRecord(Record):
    """An object with further properties, whose names are not known beforehand."""
    def __getattr__(self, name: str) -> Any: ...

class Headers(dict[str, str]):
    """Response headers; names in any letter case."""
    def get_list(self, name: str) -> list[str]:
        """Every value of a header by itself."""

class Response:
    """An HTTP answer, wholly received."""
    status: int
    status_code: int
    status_text: str
    reason: str
    reason_phrase: str
    url: str
    redirected: bool
    content: _Bytes
    headers: Headers
    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
    @property
    def text(self) -> Any:
        """The body as a str; may be called and awaited, too."""
    def json(self) -> Any:
        """The body as JSON; an object or a list may be awaited, too."""
    def bytes(self) -> Any:
        """The body as bytes; may be awaited, too."""
    def iter_lines(self) -> Iterator[str]:
        """The lines of the body, without their ends."""
    @property
    def is_success(self) -> bool:
        """The same as `ok`."""
    @property
    def is_redirect(self) -> bool:
        """Whether the answer leads elsewhere."""
    @property
    def is_error(self) -> bool:
        """Whether the status is 400 or more."""
    @property
    def encoding(self) -> str:
        """How `text` reads the body."""
    def raise_for_status(self) -> Response:
        """Raise an error when the status is 400 or more."""

def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | str | None = None,
    body: Any = None,
    content: str | _Bytes | None = None,
    json: Any = None,
    data: Mapping[str, Any] | Sequence[tuple[str, Any]] | str | _Bytes | None = None,
    files: Any = None,
    auth: tuple[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
    timeout: float | tuple[float, float] | None = None,
    redirect: Literal["follow", "manual", "error"] | None = None,
    allow_redirects: bool | None = None,
    follow_redirects: bool | None = None,
) -> Awaitable[Response]:
    """Start an HTTP request at once; await it for the response. `timeout` is in seconds."""

class Http:
    """Blocking HTTP, with the options of `fetch`."""
    def request(self, method: str, url: str, **options: Any) -> Response: ...
    def get(self, url: str, params: Any = None, **options: Any) -> Response: ...
    def post(self, url: str, data: Any = None, json: Any = None, **options: Any) -> Response: ...
    def put(self, url: str, data: Any = None, **options: Any) -> Response: ...
    def patch(self, url: str, data: Any = None, **options: Any) -> Response: ...
    def delete(self, url: str, **options: Any) -> Response: ...
    def head(self, url: str, **options: Any) -> Response: ...
    def options(self, url: str, **options: Any) -> Response: ...

class Console:
    """Writes to the log of the execution, as `print` does."""
    def log(self, *values: object) -> None: ...
    def info(self, *values: object) -> None: ...
    def warn(self, *values: object) -> None: ...
    def warning(self, *values: object) -> None: ...
    def error(self, *values: object) -> None: ...
    def debug(self, *values: object) -> None: ...
    def trace(self, *values: object) -> None: ...

http: Http
console: Console
'''
