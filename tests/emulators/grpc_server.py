"""A gRPC server on 127.0.0.1 with the same log and script of faults as the HTTP one.

Methods are registered by their full name with the SDK's own message classes, so no generated servicers are needed.
Calls must carry a token of the shared identity and the routing header that Google's front ends read.
"""

import threading
import time
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self

import grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from tests.emulators.faults import Fault, Script
from tests.emulators.iam import Identity

MOST_BYTES = 64 * 1024**2


@dataclass(frozen=True, kw_only=True)
class GrpcCall:
    """`method` is `/package.Service/Method`."""

    method: str
    message: Any
    metadata: dict[str, str]


class GrpcRefusal(Exception):
    """The call is answered with this status."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Method:
    """`answer` gets the request, `read` makes it from bytes; `write` makes bytes of the answer."""

    name: str
    answer: Callable[[Any], Any]
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    routed_by: str = ""


def compose_retry_info(seconds: float) -> error_details_pb2.RetryInfo:
    whole = int(seconds)
    return error_details_pb2.RetryInfo(
        retry_delay=duration_pb2.Duration(seconds=whole, nanos=round((seconds - whole) * 1e9))
    )


class GrpcEmulator:
    """Subclasses name their methods in `list_methods`. Use as a context manager."""

    def __init__(self, identity: Identity) -> None:
        self.script = Script()
        self.log: list[GrpcCall] = []
        self.complaints: list[str] = []
        self._identity = identity
        self._closing = threading.Event()
        self._methods = {method.name: self._handle(method) for method in self.list_methods()}
        self._server = grpc.server(
            futures.ThreadPoolExecutor(16),
            options=[("grpc.max_receive_message_length", MOST_BYTES), ("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((_Handlers(self._methods),))
        self.port = self._server.add_secure_port(
            "127.0.0.1:0", grpc.local_server_credentials(grpc.LocalConnectionType.LOCAL_TCP)
        )
        self.url = f"http://127.0.0.1:{self.port}"

    def list_methods(self) -> list[Method]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.stop(grace=None).wait()

    def _handle(self, method: Method) -> grpc.RpcMethodHandler:
        def serve(message: Any, context: grpc.ServicerContext) -> Any:
            metadata = {key: str(value) for key, value in context.invocation_metadata()}
            self.log.append(GrpcCall(method=method.name, message=message, metadata=metadata))
            fault = self.script.take(method.name)
            if fault is not None:
                reply = self._fail(fault, context)
                if reply is not None:
                    return reply
            try:
                self._check_metadata(method, metadata)
                return method.answer(message)
            except GrpcRefusal as refusal:
                if refusal.code is grpc.StatusCode.INVALID_ARGUMENT:
                    self.complaints.append(f"{method.name}: {refusal}")
                context.abort(refusal.code, str(refusal))

        return grpc.unary_unary_rpc_method_handler(
            serve,
            request_deserializer=method.read,
            response_serializer=lambda answer: answer if isinstance(answer, bytes) else method.write(answer),
        )

    def _check_metadata(self, method: Method, metadata: dict[str, str]) -> None:
        if not self._identity.knows(metadata.get("authorization", "")):
            raise GrpcRefusal(grpc.StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials.")
        if method.routed_by and method.routed_by not in metadata.get("x-goog-request-params", ""):
            raise GrpcRefusal(grpc.StatusCode.INVALID_ARGUMENT, f"no routing header for {method.routed_by}")

    def _fail(self, fault: Fault, context: grpc.ServicerContext) -> Any:
        """The fault's reply, or None to go on as usual."""
        if fault.delay_seconds:
            waited_until = time.monotonic() + fault.delay_seconds
            while time.monotonic() < waited_until and context.is_active():
                self._closing.wait(0.02)
            if not context.is_active():
                self.script.give_back(fault)
                _abort(context, grpc.StatusCode.CANCELLED, "the client has left", ())
        if fault.drop:
            _abort(context, grpc.StatusCode.UNAVAILABLE, "Socket closed", ())
        if fault.code is not None:
            _abort(context, fault.code, fault.message or "ordered", fault.details)
        return fault.reply


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str, details: Any) -> NoReturn:
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort raises")


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc ships no types
    def __init__(self, methods: dict[str, grpc.RpcMethodHandler]) -> None:
        self._methods = methods

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self._methods.get(handler_call_details.method)
