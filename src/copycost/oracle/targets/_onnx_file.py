"""Reads an ONNX file without following it anywhere else: what is examined is what runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from copycost.errors import MissingExtra, TargetError

__all__ = ["open_session", "read_model"]

_LIMIT = 2**31 - 1  # bytes; what a protocol buffer can hold


def read_model(path: Path) -> bytes:
    """Return the bytes of an ONNX file that holds all of its weights.

    Raises
    ------
    TargetError
        If the file is missing, too large or no ONNX model, or keeps numbers in other files, which could lie anywhere.
    MissingExtra
        If onnx is not installed.
    """
    onnx, _ = _packages()
    try:
        if path.stat().st_size > _LIMIT:
            raise TargetError(f"{path} is larger than 2 GiB, which is the most an ONNX file holds; export it again.")
        content = path.read_bytes()
    except OSError as error:
        raise TargetError(f"the target {path} cannot be read: {error.strerror}.") from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
        whole = bool(model.graph.node) and bool(model.opset_import)
    except Exception:
        whole = False
    if not whole:
        raise TargetError(
            f"{path} is not an ONNX model, or is damaged; export it again (see docs/guide/targets.md for how)."
        )
    if outside := _outside(model):
        raise TargetError(
            f"{path} keeps its weights in other files ({outside}), which are not read, as they could lie anywhere; "
            "make one file of it: export with external_data=False, or onnx.save(onnx.load('model.onnx'), 'whole.onnx')."
        )
    return content


def _outside(message: Any) -> str | None:
    """Return where a model keeps a tensor outside its file, wherever in the model that tensor is; None if nowhere."""
    found = []
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.DESCRIPTOR.name == "TensorProto":
            if part.external_data or part.data_location:
                found += [entry.value for entry in part.external_data if entry.key == "location"] or ["unnamed"]
            continue
        for field, value in part.ListFields():
            if field.message_type is not None:
                waiting.extend([value] if hasattr(value, "ListFields") else value)
    return ", ".join(sorted(set(found))[:3]) or None


def open_session(content: bytes, path: Path) -> Any:
    """Return an onnxruntime session of one thread on the processor, from the very bytes that were examined.

    Raises
    ------
    TargetError
        If onnxruntime refuses the model.
    """
    _, runtime = _packages()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:
        raise TargetError(
            f"onnxruntime {runtime.__version__} does not run {path}: {_first_line(error)} Custom operators are not "
            "supported; export with standard ones, or with a lower opset."
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _packages() -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(
            f"ONNX targets need an optional part ({error.name}); install it with: pip install 'copycost[onnx]'"
        ) from None
    return onnx, onnxruntime
