"""List the files of a time span, page by page, and name them in a manifest: states that monitors share."""

from __future__ import annotations

from dataclasses import dataclass

from cdk_ml_lens.core.asl import State, States, caught, choice, js, task
from cdk_ml_lens.monitoring.processing import JobInput

MOST_FILES = 3000
"""Files of one kind in a window: their names must fit into a variable, 256 KiB."""
_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class FileList:
    """Files below a folder whose names are times: ``yyyy/mm/dd/hh/…``.

    Parameters
    ----------
    name : str
        What they are, such as ``Captures``; also the input of the job, in lower case.
    bucket_name, folder : str
        Where they lie; the folder ends with a slash.
    first : str
        Expression of the key after which the span begins.
    last : str
        Expression of the key before which it ends.
    """

    name: str
    bucket_name: str
    folder: str
    first: str
    last: str

    @property
    def variable(self) -> str:
        """Variable that takes the keys, relative to the folder."""
        return f"keys{self.name}"

    @property
    def start(self) -> str:
        """First state."""
        return f"List{self.name}"

    def states(self, *, next: str, empty: str) -> States:
        """Return the states from `start` to ``next``, or to ``empty`` when there is no file.

        The variables ``keys…`` and ``token…`` must have been set to ``[]`` and ``""``.
        """
        more, token, keys = f"HasMore{self.name}", f"token{self.name}", self.variable
        return {
            self.start: self._page({"StartAfter": js(self.first)}, next=more),
            more: choice(
                (f"${token} != '' and $count(${keys}) < {MOST_FILES}", f"ListMore{self.name}"),
                (f"$count(${keys}) = 0", empty),
                default=next,
            ),
            f"ListMore{self.name}": self._page({"ContinuationToken": js(f"${token}")}, next=more),
        }

    def manifest(self, *, bucket_name: str, next: str) -> States:
        """Return the state that writes the files' names as a manifest into the window's place."""
        source = f"s3://{self.bucket_name}/{self.folder}"
        name = f"Write{self.name}"
        return {
            name: task(
                "aws-sdk:s3:putObject",
                {
                    "Bucket": bucket_name,
                    "Key": js(f"$place & '/{self._file}'"),
                    "Body": js(f"$append([{{'prefix': '{source}'}}], ${self.variable})"),
                },
                next=next,
                catch=[caught("ListFailed", name, "Announce")],
            )
        }

    def given(self, bucket_name: str) -> JobInput:
        """Return the files as an input of the job."""
        uri = js(f"'s3://{bucket_name}/' & $place & '/{self._file}'")
        return JobInput(name=self.name.lower(), uri=uri, kind="ManifestFile")

    @property
    def _file(self) -> str:
        return f"{self.name.lower()}.manifest"

    def _page(self, place: dict[str, str], *, next: str) -> State:
        found = f"[$states.result.Contents[Key < {self.last}].$substringAfter(Key, '{self.folder}')]"
        following = "$states.result.NextContinuationToken"
        return task(
            "aws-sdk:s3:listObjectsV2",
            {"Bucket": self.bucket_name, "Prefix": self.folder, "MaxKeys": _PAGE, **place},
            next=next,
            catch=[caught("ListFailed", self.start, "Announce")],
            assign={
                self.variable: js(f"$append(${self.variable}, {found})"),
                f"token{self.name}": js(f"$exists({following}) and $count({found}) = {_PAGE} ? {following} : ''"),
            },
        )
