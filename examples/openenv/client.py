"""A client: BioreasonClient(base_url="http://localhost:8000")."""

from openenv import GenericEnvClient as BioreasonClient

__all__ = ["BioreasonClient"]
