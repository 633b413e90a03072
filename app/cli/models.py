"""``models``: list, download, import, complete, verify, remove, licence, token, move."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.cli.output import ProgressLine, print_json
from app.cli.parser import Namespace
from app.paths import Paths
from engine.families.registry import FAMILIES, LICENCES, SOURCES
from engine.families.source import ModelSource
from engine.models import imports, moving
from engine.models.assembly import assemble, is_shipped
from engine.models.catalog import MODELS
from engine.models.completion import completion_plan, lacking
from engine.models.controlnets import KnownControlNet, known_controlnets
from engine.models.disk import gigabytes
from engine.models.download import Download, DownloadProgress
from engine.models.download_plan import DownloadPlan, check_disk, disk_need, make_plan
from engine.models.everything import import_everything, surveyed
from engine.models.hub import Hub
from engine.models.installed import find_installed
from engine.models.licences import Acceptances, licence
from engine.models.location import locate
from engine.models.lora_shelf import LoraShelf
from engine.models.recognised import Recognised
from engine.models.reference import REFERENCE_NAME
from engine.models.sources import source
from engine.models.states import Card, Installed, cards, unfinished
from engine.models.states import imports as all_imports
from engine.models.store import Removal, Store
from engine.models.throttle import DownloadControl
from engine.models.token import Token, TokenPlace, TokenStore
from engine.models.transport import HttpTransport, endpoint_from
from engine.models.updates import has_update
from engine.models.upscaler_import import remove_upscaler
from engine.models.upscalers import Upscaler, Upscalers
from engine.models.verify import Verification, repair_plan, verify
from engine.protocol.errors import AccessDenied, BadArguments, LaternaError, ModelDamaged

_PLACES: dict[TokenPlace, str] = {
    "keyring": "kept in the system's keyring",
    "file": "kept in a file that only you can read (this system has no keyring that Laterna can use)",
    "environment": "taken from HF_TOKEN",
    "none": "there is none",
}


class _Models:
    """What the actions share: the store, brought in order, and the way to the hub."""

    def __init__(self, arguments: Namespace, paths: Paths) -> None:
        self.arguments = arguments
        self.paths = paths
        moving.clear_old(paths.models)
        self.store = Store(locate(paths.models))
        self.store.recover()
        self.acceptances = Acceptances(paths.config / "licences.json")
        self.tokens = TokenStore(paths.config / "hub-token")
        self.progress = ProgressLine()

    def transport(self, limit: float = 0.0) -> HttpTransport:
        return HttpTransport(endpoint_from(), self.tokens.find()[0], small_window=limit > 0)

    def print(self, value: Any, lines: list[str]) -> int:
        self.progress.end()
        if self.arguments.json:
            print_json(value)
        else:
            for line in lines:
                print(line)
        return 0

    def waiting(self, seconds: float, error: LaternaError) -> None:
        self.progress.show(f"{error.message} Trying again in {seconds:.0f} s")

    def show_bytes(self, label: str) -> Callable[[int, int], None]:
        return lambda done, total: self.progress.show(label, done / total if total else 1.0)


def run(arguments: Namespace, paths: Paths) -> int:
    actions: dict[str, Callable[[_Models], int]] = {
        "list": _list,
        "download": _download,
        "complete": _complete,
        "import": _import,
        "verify": _verify,
        "remove": _remove,
        "licence": _licence,
        "token": _token,
        "move": _move,
    }
    return actions[arguments.action or "list"](_Models(arguments, paths))


def _list(models: _Models) -> int:
    installed = list(find_installed(models.paths.model_folders))
    here = {model.info.id for model in installed}
    found = cards(models.store)
    updates: list[str] = []
    if models.arguments.updates:
        hub = Hub(models.transport(), waiting=models.waiting)
        updates = [manifest.name for manifest in models.store.models() if has_update(hub, models.store, manifest)]
    lines = [f"{model.info.id:24} ready         {model.info.name}: {model.folder}" for model in installed]
    for card in found:
        others = [one for one in card.installed if one.name not in here]
        what = card.summary if card.role == "import" else card.name
        lines += [f"{one.name:24} {_state_text(one.state):13} {what}{_details(one)}" for one in others]
        if not card.installed and card.id not in here:
            lines.append(f"{card.id:24} not here      {card.name}: {_card_text(card)}")
    upscalers = Upscalers(models.paths.upscalers).all()
    lines += [_upscaler_line(one) for one in upscalers]
    controlnets = known_controlnets(models.store)
    lines += [f"{Path(one.path).stem:24} {'kept':13} {_controlnet_text(one)}: {one.path}" for one in controlnets]
    lines += [f"{name}: there are newer files; “models download {name}” gets them" for name in updates]
    value = {
        "installed": [{"folder": model.folder, "info": model.info} for model in installed],
        "known": [info for info in MODELS.values() if info.id not in here],
        "cards": found,
        "imports": all_imports(models.store),
        "controlnets": controlnets,
        "updates": updates,
        "upscalers": upscalers,
        "folder": models.store.root,
        "unused_bytes": _unused(models.store),
    }
    return models.print(value, lines)


def _unused(store: Store) -> int:
    try:
        return sum(store.unused().values())
    except ModelDamaged:
        return 0


def _state_text(state: str) -> str:
    return {"absent": "not here", "unplugged": "not connected"}.get(state, state)


def _details(one: Installed) -> str:
    if one.state == "unfinished":
        return f": {gigabytes(one.done)} of {gigabytes(one.total)}; “models download” goes on"
    if one.state == "damaged":
        return f": {len(one.bad)} files; “models verify {one.name} --repair” fetches them anew"
    return f": lacks {', '.join(one.missing)}; “models complete {one.name}” gets them" if one.missing else ""


def _card_text(card: Card) -> str:
    gated = ", gated" if card.gated else ""
    return f"{gigabytes(card.disk)}, {card.licence_line} ({card.repository}{gated})"


def _download(models: _Models) -> int:
    arguments = models.arguments
    wanted = [source(name) for name in arguments.names]
    _require_licences(models, wanted)

    def plans(hub: Hub) -> list[DownloadPlan]:
        return [make_plan(found, hub.listing(found.repository), arguments.precision) for found in wanted]

    return _fetch(models, plans)


def _complete(models: _Models) -> int:
    arguments, store = models.arguments, models.store
    name = arguments.names[0]
    wanted, components = lacking(store, name, arguments.t5)
    if not components:
        return models.print({"folders": [], "fetched": 0}, [f"{name} has all that it needs."])
    _require_licences(models, [wanted])

    def plans(hub: Hub) -> list[DownloadPlan]:
        plan = completion_plan(store, hub, name, arguments.t5, arguments.precision)
        return [plan] if plan else []

    return _fetch(models, plans)


def _require_licences(models: _Models, wanted: list[ModelSource]) -> None:
    """Show and require the licences of what is about to be downloaded."""
    arguments = models.arguments
    for found in wanted if not arguments.dry_run else []:
        text = licence(found.licence)
        if arguments.accept_licence:
            models.acceptances.accept(text)
        if not models.acceptances.has(text) and not arguments.json:
            print("\n".join([text.name, *(f"  {term}" for term in text.terms), f"  {text.url}"]), file=sys.stderr)
        models.acceptances.require(text, found.name)


def _fetch(models: _Models, make_plans: Callable[[Hub], list[DownloadPlan]]) -> int:
    arguments = models.arguments
    if arguments.limit < 0:
        raise BadArguments(f"--limit is {arguments.limit:g}; it must be positive.")
    limit = arguments.limit * 1e6
    transport = models.transport(limit)
    plans = make_plans(Hub(transport, waiting=models.waiting))
    need = disk_need(plans, models.store)
    if arguments.dry_run:
        return models.print({"plans": plans, "need": need}, _plan_lines(plans, need.to_fetch, need.disk))
    check_disk(plans, models.store)
    folders = []
    for plan in plans:
        Download(models.store, plan, transport, DownloadControl(limit), on_progress=_shown(models.progress)).run()
        folders.append(models.store.model_folder(plan.name))
    return models.print({"folders": folders, "fetched": need.to_fetch}, [str(folder) for folder in folders])


def _shown(progress: ProgressLine) -> Callable[[DownloadProgress], None]:
    """On a terminal with figures; elsewhere a line for each phase."""

    def show(now: DownloadProgress) -> None:
        if now.phase == "waiting":
            progress.show(now.text)
            return
        label = f"Downloading {now.name}" if now.phase == "fetching" else f"Putting {now.name} together"
        if sys.stderr.isatty():
            label += f"  {gigabytes(now.done)} of {gigabytes(now.total)}, {now.speed / 1e6:.0f} MB/s"
        progress.show(label, now.done / now.total if now.total else 1.0, now.seconds_left)

    return show


def _plan_lines(plans: list[DownloadPlan], to_fetch: int, disk: int) -> list[str]:
    lines = []
    for plan in plans:
        lines.append(f"{plan.name}: {len(plan.files)} files, {gigabytes(plan.total)}")
        lines += [f"  {gigabytes(file.size):>8}  {file.target}" for file in plan.files]
    return [*lines, f"to download: {gigabytes(to_fetch)}; disk needed: {gigabytes(disk)}"]


def _import(models: _Models) -> int:
    path, name = Path(models.arguments.path), models.arguments.name
    if name and path.is_dir() and len(imports.survey(path).found) > 1:
        raise BadArguments("There are several models at that path.", "Leave --name away, or name one file.")
    if models.arguments.dry_run:
        brought = surveyed(path)
    else:
        shelf = LoraShelf(models.paths.adapters)
        brought = import_everything(
            path, models.store, models.paths.upscalers, name, lambda one: models.progress.show(f"Reading {one}"), shelf
        )
    lines = [
        f"{one.name}: {one.model or one.family}, {one.precision}; {_import_state(models.store, one)}"
        for one in brought.models
    ]
    lines += [_upscaler_line(one) for one in brought.upscalers]
    lines += [f"LoRA, for the form's list: {path}" for path in brought.loras]
    lines += [f"{_controlnet_text(one)}: {one.path}" for one in brought.controlnets]
    lines += [f"left out: {one.path}: {one.why}" for one in brought.left_out]
    value = {
        "found": brought.models,
        "folders": brought.folders,
        "upscalers": brought.upscalers,
        "loras": brought.loras,
        "controlnets": brought.controlnets,
        "left_out": brought.left_out,
    }
    return models.print(value, lines + [str(folder) for folder in brought.folders])


def _upscaler_line(one: Upscaler) -> str:
    facts = one.facts
    return f"{one.name:24} ready         upscaler, {facts.scale} times ({facts.architecture}): {one.path}"


def _controlnet_text(one: KnownControlNet) -> str:
    control = f" ({one.control})" if one.control else ""
    return f"ControlNet{control} for {FAMILIES[one.family].info.name}, kept for later versions, which use it"


def _import_state(store: Store, found: Recognised) -> str:
    if found.folder:
        return "runs as it is"
    assembly = assemble(found.reference(), store.root)
    if assembly.missing:
        return f"lacks {', '.join(assembly.labels())}; “models complete” downloads just that"
    lacks = ""
    if assembly.optional:
        lacks = ", without T5" if len(assembly.optional) > 1 else ", without T5 until its tokenizer is here"
    family = FAMILIES[found.family]
    borrowed = [
        family.file_label(name)
        for name in found.missing
        if name in assembly.parts and not is_shipped(assembly.parts[name])
    ]
    return f"runs{lacks}" + (f"; {', '.join(borrowed)} from the models here" if borrowed else "")


def _verify(models: _Models) -> int:
    names = models.arguments.names or [manifest.name for manifest in models.store.models()]
    results: list[Verification] = []
    for name in names:
        result = verify(models.store, name, models.show_bytes(f"Checking {name}"))
        if result.bad and models.arguments.repair:
            plan = repair_plan(models.store, result)
            shown = _shown(models.progress)
            Download(models.store, plan, models.transport(), DownloadControl(), on_progress=shown).run()
            result = verify(models.store, name, models.show_bytes(f"Checking {name}"))
        results.append(result)
    lines = []
    for result in results:
        lines.append(f"{result.name}: {'sound' if result.is_sound else 'damaged'}, {gigabytes(result.bytes)} read")
        lines += [f"  {bad.reason:8} {bad.path}" for bad in result.bad]
    models.print({"models": results, "ok": all(result.is_sound for result in results)}, lines)
    return 0 if all(result.is_sound for result in results) else ModelDamaged.exit_code


def _remove(models: _Models) -> int:
    arguments, store = models.arguments, models.store
    if not arguments.names and not arguments.unused:
        raise BadArguments("There is no model to remove.", "Name one: “models list” shows them.")
    removals: list[Removal] = []
    lines = []
    gives_up = False
    upscalers = {one.name for one in Upscalers(models.paths.upscalers).all()}
    for name in arguments.names:
        if name in upscalers and not store.model_folder(name).exists():
            lines.append(f"{name}: an upscaler; your own file stays")
            print(lines[-1], file=sys.stderr)
            removals.append(Removal(name, 0, 0))
            if not arguments.dry_run:
                remove_upscaler(name, models.paths.upscalers)
            continue
        is_import = (store.model_folder(name) / REFERENCE_NAME).exists()
        given_up = [plan for plan in unfinished(store) if plan.name == name]
        if is_import:
            removal = Removal(name, 0, 0)
            lines.append(f"{name}: an import; your own files stay")
        elif given_up and all(manifest.name != name for manifest in store.models()):
            removal = Removal(name, 0, 0)
            lines.append(f"{name}: the unfinished download is given up")
            gives_up = True
        else:
            removal = store.removal(name)
            lines.append(f"{name}: frees {gigabytes(removal.frees)}; {gigabytes(removal.shared)} stay, others use them")
        print(lines[-1], file=sys.stderr)
        removals.append(removal)
        if not arguments.dry_run:
            if given_up:
                store.unwant(name)
            if is_import:
                imports.unregister(store, name)
            elif any(manifest.name == name for manifest in store.models()):
                store.remove(name)
    freed = sum(removal.frees for removal in removals)
    if arguments.unused or gives_up:
        freed += _unused(store) if arguments.dry_run else store.remove_unused()
    return models.print({"removals": removals, "freed": freed}, [f"{gigabytes(freed)} freed"])


def _licence(models: _Models) -> int:
    names = [SOURCES[name].licence if name in SOURCES else name for name in models.arguments.names]
    if models.arguments.accept and not names:
        raise BadArguments("There is no licence to accept.", f"Name one: {', '.join(LICENCES)}, or a model.")
    chosen = [licence(name) for name in names] or list(LICENCES.values())
    if models.arguments.accept:
        for one in chosen:
            models.acceptances.accept(one)
    lines = []
    for one in chosen:
        accepted = "accepted" if models.acceptances.has(one) else "not accepted"
        lines += [f"{one.id} ({accepted}): {one.name}", *(f"  {term}" for term in one.terms), f"  {one.url}"]
    value = [{"licence": one, "accepted": models.acceptances.has(one)} for one in chosen]
    return models.print({"licences": value}, lines)


def _token(models: _Models) -> int:
    change = models.arguments.change
    user = ""
    if change == "set":
        text = getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()
        place: TokenPlace = models.tokens.save(Token(text))
    elif change == "delete":
        models.tokens.delete()
        _, place = models.tokens.find()
    else:
        token, place = models.tokens.find()
        if change == "check":
            if token is None:
                raise AccessDenied("There is no token.", "Enter one: “models token set”.")
            user = Hub(models.transport(), waiting=models.waiting).user()
    value = {"place": place, "keyring": models.tokens.has_keyring, "user": user}
    return models.print(value, [f"Token: {_PLACES[place]}.", *([f"It is {user}'s."] if user else [])])


def _move(models: _Models) -> int:
    moving.move(models.store.root, Path(models.arguments.path), models.show_bytes("Moving the models"))
    folder = locate(models.paths.models)
    return models.print({"folder": folder}, [f"The models are in {folder}."])
