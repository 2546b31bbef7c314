"""A MicroVM of the tests' own application, behind uvicorn."""

from collections.abc import Callable

import pytest

from lambda_adapter.local.microvm.testing import MicroVMApp
from lambda_adapter.local.pytest_plugin import StartsMicroVMs
from tests.adapter import measured
from tests.microvm.lambda_side import UVICORN
from tests.ports import free_ports

Starts = Callable[..., MicroVMApp]


@pytest.fixture
def start(lambda_microvm: StartsMicroVMs) -> Starts:
    """Start it, with settings as keywords."""

    def start(payload: str | None = None, **settings: str) -> MicroVMApp:
        (port,) = free_ports(1)
        command = [*UVICORN, "--port", str(port)]
        env = {**measured(), **settings}
        if payload is None:
            return lambda_microvm(command, app_port=port, env=env)
        return lambda_microvm(command, app_port=port, env=env, payload=payload)

    return start
