"""Tokens for programs: who may ask what of the REST API, kept as hashes, so that nobody can read them back."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from typing import Literal, get_args

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from ..errors import BadRequest
from .database import Database
from .tables import Base

Role = Literal["viewer", "annotator", "manager"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what the one before it may, and more."""

PREFIX = "espalier"
_SHAPE = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([0-9A-Za-z_-]{{43}})")


@dataclass(frozen=True)
class Token:
    """A token as it is listed: never the secret itself. `expires_at` None: until it is removed."""

    id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None = None


class TokenTable(Base):
    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    digest: Mapped[str]
    """SHA-256 of the secret part, in hex: 256 bits of chance need no slower hash."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


TOKEN = [getattr(TokenTable, field.name) for field in fields(Token)]


class Tokens(Database):
    def create_token(self, name: str, role: str, *, days: float | None = None) -> tuple[Token, str]:
        """A new token, and the text that a program sends; the text is kept nowhere.

        days: how long it holds; None until it is removed. Raises BadRequest for a name that is taken or empty.
        """
        if role not in ROLES:
            raise BadRequest(f"a token's role must be one of {', '.join(ROLES)}, got {role!r}")
        if not re.fullmatch(r"[\w .@-]{1,80}", name):
            raise BadRequest(f"a token's name has 1 to 80 letters, digits, spaces or any of . _ @ -, got {name!r}")
        if days is not None and not 0 < days <= 36_500:
            raise BadRequest(f"a token holds for more than 0 and at most 36500 days, got {days:g}")
        if any(token.name == name for token in self.tokens()):
            raise BadRequest(f"there is a token named {name!r} already: remove it first, or choose another name")
        now, secret = datetime.now(timezone.utc), secrets.token_urlsafe(32)
        until = now + timedelta(days=days) if days is not None else None
        token = Token(secrets.token_hex(6), name, role, now, until)
        row = {**vars(token), "digest": _digest(secret)}
        self.write(lambda connection: self.upsert(connection, TokenTable, [row]))
        return token, f"{PREFIX}_{token.id}_{secret}"

    def tokens(self) -> list[Token]:
        """The newest first, those that hold no more among them."""
        query = select(*TOKEN).order_by(TokenTable.created_at.desc(), TokenTable.id)
        return [Token(**row._mapping) for row in self.read(lambda connection: connection.execute(query).all())]

    def remove_token(self, name: str) -> Token:
        """By name or id. Raises BadRequest where there is none."""
        found = next((token for token in self.tokens() if name in (token.name, token.id)), None)
        if found is None:
            raise BadRequest(f"there is no token {name!r}; `espalier token list` shows them")
        self.write(lambda connection: connection.execute(delete(TokenTable).where(TokenTable.id == found.id)))
        return found

    def token_of(self, text: str) -> Token | None:
        """The token that a program sent; None where it is none, was removed, or holds no more.

        It is found by its open part; the secret part is compared in full, so that the time taken tells nothing of it.
        """
        shape = _SHAPE.fullmatch(text)
        id, secret = shape.groups() if shape else ("", "")
        query = select(*TOKEN, TokenTable.digest).where(TokenTable.id == id)
        row = self.read(lambda connection: connection.execute(query).one_or_none()) if shape else None
        same = hmac.compare_digest(_digest(secret), row.digest if row else _digest(""))
        if row is None or not same:
            return None
        values = dict(row._mapping)
        del values["digest"]
        token = Token(**values)
        expired = token.expires_at is not None and token.expires_at <= datetime.now(timezone.utc)
        return None if expired else token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
