"""What the window gets once it is shown: made on a thread of its own, since it opens files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from engine.models.upscalers import Upscalers
from ui.engine_link import MakeService
from ui.forecasts import ForecastSource
from ui.library.item_actions import ActionLibrary
from ui.library.query import LibrarySource
from ui.library.thumbnails import ThumbnailSource
from ui.models.link import MakeModelService
from ui.prompt_tools import PromptSource


class WindowLibrary(ActionLibrary, LibrarySource, PromptSource, Protocol):
    """``engine.library.library.Library`` as the window uses it."""


@dataclass(frozen=True)
class Services:
    """``close`` is called after every thread that uses the library has ended."""

    library: WindowLibrary
    thumbnails: ThumbnailSource
    make_job_service: MakeService
    make_model_service: MakeModelService
    close: Callable[[], None]
    forecasts: ForecastSource
    upscalers: Upscalers = field(default_factory=Upscalers)
