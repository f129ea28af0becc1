from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import RecipeError
from builder.model import key_path_text
from builder.recipe_editor import RecipeChange, RecipeEditor

TEXT = """\
# top
name = "x"  # beside
[[repositories]]
origin = "a"   # three blanks
keys = ["k"]

# of the second
[[repositories]]
origin = "b"

[versions."1.0".git]
url = "u"
# inner

# of 2
[versions."2.0"]
archives = [
  { file = "a", sha256 = "0" }, # first
  { file = "b" },
]

[[versions."3.0".archives]]
file = "q"
# end"""


def editor(text: str = TEXT) -> RecipeEditor:
    return RecipeEditor(Path("unused"), place="recipes/x.toml", text=text)


def test_nothing_changed_is_the_same_text() -> None:
    assert editor().text == TEXT
    assert editor().changes == ()


def test_a_new_key_comes_before_the_comment_of_the_next_table() -> None:
    edit = editor()
    assert edit.put(("repositories", 0, "at"), "now")
    assert edit.text == TEXT.replace('keys = ["k"]\n', 'keys = ["k"]\nat = "now"\n')


def test_a_changed_key_keeps_its_place_and_comment() -> None:
    edit = editor()
    edit.put(("name",), "y")
    edit.put(("versions", "2.0", "archives", 0, "sha256"), "1")
    assert edit.text == TEXT.replace('"x"  #', '"y"  #').replace('sha256 = "0"', 'sha256 = "1"')


def test_rows_are_written_one_a_line() -> None:
    edit = editor()
    edit.put(("versions", "1.0", "git", "submodules"), [{"path": 'a"b', "git": "g"}])
    assert 'submodules = [\n  { path = "a\\"b", git = "g" },\n]\n# inner' in edit.text


def test_a_short_list_of_words_is_one_line_and_a_long_one_is_not() -> None:
    edit = editor()
    edit.put(("versions", "1.0", "git", "omitted"), ["a", "b"])
    edit.put(("repositories", 1, "inventory"), [f"package{n}=1.0" for n in range(9)])
    assert '\nomitted = ["a", "b"]\n' in edit.text
    assert '\ninventory = [\n  "package0=1.0",\n  "package1=1.0",\n' in edit.text


def test_the_same_value_is_no_change() -> None:
    edit = editor()
    assert not edit.put(("name",), "x")
    assert not edit.drop(("versions", "1.0", "git", "tree"))
    assert edit.changes == ()


def test_changes_say_where_what_and_what_before() -> None:
    edit = editor()
    edit.put(("name",), "y")
    edit.put(("versions", "3.0", "archives", 0, "size"), 12)
    edit.drop(("versions", "1.0", "git", "url"))
    assert edit.changes == (
        RecipeChange(place="recipes/x.toml: name", before="x", after="y"),
        RecipeChange(place='recipes/x.toml: versions."3.0".archives[0].size', before="", after="12"),
        RecipeChange(place='recipes/x.toml: versions."1.0".git.url', before="u", after=""),
    )


def test_a_new_version_comes_before_the_first_and_its_comment() -> None:
    edit = editor(TEXT.replace('[versions."1.0"', '# of 1\n[versions."1.0"'))
    edit.insert_version('versions."4.0".git', {"url": "v"})
    edit.put(("versions", "4.0", "git", "commit"), "c")
    assert '\n\n[versions."4.0".git]\nurl = "v"\ncommit = "c"\n\n# of 1\n[versions."1.0".git]' in edit.text


def test_a_first_version_goes_to_the_end() -> None:
    edit = editor('name = "x"\n')
    edit.insert_version('versions."4.0".git', {"url": "v"})
    assert edit.text == 'name = "x"\n\n[versions."4.0".git]\nurl = "v"\n'


@pytest.mark.parametrize("text", ["a = ", 'a = "x"\na = "y"', "\ufeff= 1"])
def test_what_is_not_toml_is_a_recipe_error_with_its_place(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        editor(text)
    assert caught.value.place.startswith("recipes/x.toml")


def test_saving_writes_once(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(TEXT)
    edit = RecipeEditor(file, place="x")
    assert not edit.save()
    edit.put(("name",), "y")
    assert edit.save()
    assert file.read_text() == TEXT.replace('"x"', '"y"')


def test_key_paths_are_written_as_messages_write_them() -> None:
    assert key_path_text(("versions", "1.2", "archives", 0, "sha256")) == 'versions."1.2".archives[0].sha256'
