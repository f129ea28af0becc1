"""A lock as a software bill of materials: CycloneDX 1.6 in JSON, from the lock alone. Pure.

Nothing in it depends on when or where it is made: the serial number is made of
the lock's digest, the time is the lock's source date epoch. What does not
reach the image (build tools, sources) has the scope `excluded`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from cyclonedx.model import (
    AttachedText,
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import (
    Component,
    ComponentScope,
    ComponentType,
    Diff,
    Patch,
    PatchClassification,
    Pedigree,
)
from cyclonedx.model.license import LicenseExpression
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from builder import __version__
from builder.graph import RECIPE_NODE, LockGraph, LockNode, NodeKind, graph_of, node_of, submodule_node
from builder.lockfile import (
    BASE,
    RUNTIME,
    Archive,
    Build,
    GitSource,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    Submodule,
)
from builder.model import Sha256
from builder.sbom.purls import (
    archive_purl,
    git_purl,
    image_purl,
    inventory_purl,
    os_purl,
    python_purl,
    submodule_purl,
)

__all__ = ["sbom"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "lockwright.invalid")
_PREFIX = "lockwright"


def sbom(lock: Lock, digest: Sha256) -> str:
    """Return the bill of materials of `lock`, whose file has the SHA-256 `digest`, as JSON text."""
    graph = graph_of(lock)
    components = _node_components(lock, graph)
    image = Component(
        name=lock.framework,
        version=lock.release,
        type=ComponentType.CONTAINER,
        bom_ref=str(lock.target),
        properties=_lockwright_properties(
            lock=f"sha256:{digest}",
            target=str(lock.target),
            resolver=lock.resolver,
            exclude_newer=lock.exclude_newer,
        ),
    )
    bom = Bom(
        serial_number=uuid.uuid5(_NAMESPACE, digest),
        components=components.values(),
        metadata=BomMetaData(
            component=image,
            timestamp=datetime.fromtimestamp(lock.source_date_epoch, UTC),
            tools=ToolRepository(
                components=[Component(name="lockwright", version=__version__, type=ComponentType.APPLICATION)]
            ),
        ),
    )
    bom.register_dependency(image, _asked_components(RECIPE_NODE, graph, components))
    for node, component in components.items():
        bom.register_dependency(component, _asked_components(node, graph, components))
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _asked_components(
    asker: LockNode, graph: LockGraph, components: dict[LockNode, Component]
) -> list[Component]:
    return [components[node] for node, askers in graph.askers.items() if asker in askers]


def _node_components(lock: Lock, graph: LockGraph) -> dict[LockNode, Component]:
    """Return a component for every node of the graph."""
    found = {node_of(row): _python_component(row, lock) for row in lock.python}
    found |= {node_of(package): _os_package_component(package, lock) for package in lock.os_packages}
    found |= {node_of(build): _build_component(build, lock) for build in lock.builds}
    for source in lock.sources:
        found[node_of(source)] = _source_component(source, lock)
        found |= {submodule_node(module): _submodule_component(module) for module in source.submodules}
    found |= {node_of(archive): _archive_component(archive, lock) for archive in lock.archives}
    found |= {node_of(image): _image_component(image, lock) for image in lock.images}
    in_image = {line for image in lock.images if RUNTIME in image.roles for line in image.inventory}
    for node in graph.askers:
        if node.kind is NodeKind.IN_IMAGE:
            purl = inventory_purl(node.name, node.version, lock)
            reaches = f"{node.name}={node.version}" in in_image
            found[node] = _node_component(node, ComponentType.LIBRARY, purl, reaches=reaches)
        elif node.kind is NodeKind.PYTHON_IN_IMAGE:
            held = PackageURL("pypi", None, node.name, node.version)
            found[node] = _node_component(node, ComponentType.LIBRARY, held, reaches=True)
    return found


def _node_component(
    node: LockNode,
    kind: ComponentType,
    purl: PackageURL | None,
    *,
    reaches: bool,
    license_: str = "",
    references: Iterable[ExternalReference] = (),
    **said: str,
) -> Component:
    """Return a component; `reaches` says whether it is in the image, `said` are properties of our own."""
    reference = f"{node.kind.value}:{node.name}@{node.version}"
    return Component(
        name=node.name,
        version=node.version or None,
        type=kind,
        bom_ref=f"{reference}#{node.sha256[:16]}" if node.sha256 else reference,
        purl=purl,
        scope=ComponentScope.REQUIRED if reaches else ComponentScope.EXCLUDED,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=node.sha256)] if node.sha256 else (),
        licenses=[LicenseExpression(license_)] if license_ else (),
        external_references=references,
        properties=_lockwright_properties(file=node.file, kind=node.kind.value, **said),
    )


def _lockwright_properties(**said: str) -> list[Property]:
    names = {name: f"{_PREFIX}:{name.rstrip('_').replace('_', '-')}" for name in said}
    return [Property(name=names[name], value=value) for name, value in said.items() if value]


def _python_component(row: PythonPackage, lock: Lock) -> Component:
    return _node_component(
        node_of(row),
        ComponentType.LIBRARY,
        python_purl(row),
        reaches=RUNTIME in row.for_,
        license_=row.license or _build_license(row.build, lock),
        build=row.build,
        evidence=str(row.evidence or ""),
        declared_by=row.by,
        origin=row.origin,
        for_=" ".join(row.for_),
    )


def _build_license(component: str, lock: Lock) -> str:
    return next((build.license for build in lock.builds if build.component == component), "")


def _os_package_component(row: OsPackage, lock: Lock) -> Component:
    return _node_component(
        node_of(row),
        ComponentType.LIBRARY,
        os_purl(row, lock),
        reaches=not {RUNTIME, BASE}.isdisjoint(row.for_),
        origin=row.origin,
        for_=" ".join(row.for_),
    )


def _build_component(row: Build, lock: Lock) -> Component:
    made = [wheel for wheel in lock.python if wheel.build == row.component and RUNTIME in wheel.for_]
    source = next((source for source in lock.sources if source.component == row.component), None)
    purl = git_purl(source) if source else PackageURL("generic", None, row.component, row.version)
    component = _node_component(
        node_of(row),
        ComponentType.LIBRARY,
        purl,
        reaches=row.runtime or bool(made),
        license_=row.license,
        prefix=row.prefix,
        system=row.system,
    )
    if row.patches:
        component.pedigree = Pedigree(
            patches=[_applied_patch(patch.data.decode()) for patch in row.patches],
            notes=f"patched by the recipes: {', '.join(patch.file for patch in row.patches)}",
        )
    return component


def _applied_patch(text: str) -> Patch:
    attached = AttachedText(content=text, content_type="text/x-diff")
    return Patch(type=PatchClassification.UNOFFICIAL, diff=Diff(text=attached))


def _source_component(row: GitSource, lock: Lock) -> Component:
    return _node_component(
        node_of(row),
        ComponentType.FILE,
        git_purl(row),
        reaches=False,
        license_=_build_license(row.component, lock),
        references=[_vcs_reference(row.git, str(row.commit))],
        commit=str(row.commit),
        tree=str(row.tree),
        tag=row.tag,
        evidence=row.evidence.value,
    )


def _submodule_component(row: Submodule) -> Component:
    return _node_component(
        submodule_node(row),
        ComponentType.FILE,
        submodule_purl(row),
        reaches=False,
        references=[_vcs_reference(row.git, str(row.commit))],
        commit=str(row.commit),
        tree=str(row.tree),
    )


def _vcs_reference(url: str, commit: str) -> ExternalReference:
    return ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(url), comment=f"commit {commit}")


def _archive_component(row: Archive, lock: Lock) -> Component:
    return _node_component(
        node_of(row),
        ComponentType.FILE,
        archive_purl(row),
        reaches=False,
        license_=_build_license(row.component, lock),
        evidence=row.evidence.value,
        declared_by=row.by,
        origin=row.origin,
    )


def _image_component(row: Image, lock: Lock) -> Component:
    return _node_component(
        node_of(row),
        ComponentType.CONTAINER if row.digest else ComponentType.OPERATING_SYSTEM,
        image_purl(row, lock.arch),
        reaches=RUNTIME in row.roles,
        roles=" ".join(row.roles),
        evidence=row.evidence.value,
        declared_by=row.by,
        inventory_by=row.inventory_by,
    )
