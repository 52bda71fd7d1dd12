"""The API reference, written from each room's ``__all__`` so that no list of names can rot.

``.. api:: ketkar.feedforward`` shows the docstring of a package or module, lists its public names
by the module that defines them, and makes a page for each, with the gallery's examples of its
use.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.autosummary import Autosummary

DIRECTIVE = re.compile(r"^\.\. api:: +([\w.]+)", re.MULTILINE)
FOLDER = "generated"


def kind_of(value: Any) -> str:
    """The autodoc directive that documents a value."""
    if isinstance(value, type) and issubclass(value, BaseException):
        return "exception"
    if isinstance(value, type):
        return "class"
    return "function" if callable(value) else "data"


def public_names(room: ModuleType) -> list[str]:
    """What a room declares as public; where it declares nothing, the functions it defines."""
    declared = getattr(room, "__all__", None)
    if declared is not None:
        return [name for name in declared if not isinstance(getattr(room, name), ModuleType)]
    return [
        name
        for name, value in vars(room).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == room.__name__
    ]


def by_module(room: ModuleType) -> dict[str, list[str]]:
    """The public names of a room, by the module that defines each, in the order of the source."""
    found: dict[str, list[str]] = {}
    for name in public_names(room):
        value = getattr(room, name)
        home = getattr(value, "__module__", None)
        if kind_of(value) == "data":
            home = next((m for m in submodules(room) if name in getattr(m, "__all__", ())), room)
            home = home.__name__
        found.setdefault(home or room.__name__, []).append(name)
    for home, names in found.items():
        source = inspect.getsource(importlib.import_module(home))
        names.sort(key=lambda name: place(source, name))
    order = list(found)
    order.sort(key=lambda home: first_mention(room, home))
    return {home: found[home] for home in order}


def submodules(room: ModuleType) -> list[ModuleType]:
    """The modules of a package that it has imported."""
    return [value for value in vars(room).values() if isinstance(value, ModuleType)]


def place(source: str, name: str) -> int:
    """Where a module defines a name."""
    match = re.search(rf"^(?:def|class) {name}\b|^{name}\b", source, re.MULTILINE)
    return match.start() if match else len(source)


def first_mention(room: ModuleType, home: str) -> tuple[int, str]:
    """Modules stand in the order of the table in the room's docstring, then by name."""
    short = home.rsplit(".", 1)[-1]
    match = re.search(rf"^{short}\b", inspect.cleandoc(room.__doc__ or ""), re.MULTILINE)
    return (match.start() if match else 10**6, home)


def first_line(module: ModuleType) -> str:
    """The idea of a module: the first sentence of its docstring."""
    return inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def own_members(cls: type) -> list[str]:
    """The methods and properties that a class defines itself, the call among them."""
    return [
        name
        for name, value in vars(cls).items()
        if (not name.startswith("_") or name == "__call__")
        and isinstance(value, property | classmethod | staticmethod | FunctionType)
        and (value.__doc__ or "").strip()
    ]


def stub(room: str, name: str, examples: list[str]) -> str:
    """The page of a function or class."""
    value = getattr(importlib.import_module(room), name)
    kind = kind_of(value)
    members = own_members(value) if kind == "class" else []
    lines = [
        name,
        "=" * len(name),
        "",
        f".. currentmodule:: {room}",
        "",
        f".. auto{kind}:: {name}",
    ]
    if members:
        lines.append(f"   :members: {', '.join(m for m in members if m != '__call__')}")
        if "__call__" in members:
            lines.append("   :special-members: __call__")
    if examples:
        lines += [
            "",
            # The names make the page follow the gallery.
            f".. Shown in {', '.join(examples)}",
            "",
            f".. minigallery:: {room}.{name}",
            "   :add-heading: Examples in the gallery",
            "   :heading-level: -",
        ]
    return "\n".join(lines) + "\n"


def file_of(app: Sphinx, room: str, name: str) -> str:
    """The page's file: a class gets a name of its own where case does not tell files apart."""
    public = public_names(importlib.import_module(room))
    if not name.islower() and name.lower() in public:
        app.config.autosummary_filename_map[f"{room}.{name}"] = f"{room}.{name}-class"
        return f"{room}.{name}-class"
    return f"{room}.{name}"


def write_stubs(app: Sphinx) -> None:
    """Write a page for each public name of the rooms that the reference lists."""
    source = Path(app.srcdir)
    record = source / app.config.sphinx_gallery_conf["backreferences_dir"]
    record = record / "backreferences_all.json"
    shown = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    wanted = {}
    for page in sorted((source / "api").glob("*.md")):
        for room in DIRECTIVE.findall(page.read_text(encoding="utf-8")):
            for names in by_module(importlib.import_module(room)).values():
                for name in names:
                    examples = sorted(entry[0] for entry in shown.get(f"{room}.{name}", ()))
                    wanted[f"{file_of(app, room, name)}.rst"] = stub(room, name, examples)
    folder = source / "api" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.name not in wanted:
            path.unlink()
    for file, text in wanted.items():
        path = folder / file
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


class Api(Autosummary):
    """The public names of a room, in one table a module."""

    has_content = False
    required_arguments = 1
    option_spec = {}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Build the tables."""
        room = importlib.import_module(self.arguments[0])
        self.options = {"toctree": FOLDER, "nosignatures": None}
        found: list[nodes.Node] = self.declare(room)
        self.env.ref_context["py:module"] = room.__name__  # for references in the summaries
        groups = by_module(room)
        for home, names in groups.items():
            if len(groups) > 1:
                short = home.removeprefix(f"{room.__name__}.")
                idea = first_line(importlib.import_module(home))
                found.append(nodes.rubric("", short))
                found += self.parse_text_to_nodes(idea)
            self.content = [f"~{room.__name__}.{name}" for name in names]
            found += super().run()
        return found

    def import_by_name(self, name: str, prefixes: Any) -> Any:
        """Import a name, which is complete: autosummary would try it in this module too."""
        return super().import_by_name(name, [None])

    def declare(self, room: ModuleType) -> list[nodes.Node]:
        """The docstring of the room, and a target for references to it."""
        return self.parse_text_to_nodes(f".. automodule:: {room.__name__}\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive; the pages are written once the gallery has been run."""
    app.add_directive("api", Api)
    app.connect("builder-inited", write_stubs, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
