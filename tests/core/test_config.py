from pathlib import Path
from typing import Any

import attrs
import pytest

from studiogate.config import Config, load_config
from studiogate.environment import Variable, read_int, read_milliseconds
from studiogate.errors import ConfigurationError
from studiogate.models import InjectedModel
from studiogate.strict import positive


def off_for_zero(text: str) -> bool | None:
    """Read a port as a switch: 0 is off, any other says nothing of it."""
    return False if read_int(text) == 0 else None


@attrs.frozen(kw_only=True)
class Settings:
    """One field of every kind that a plugin may have."""

    text: str = "default"
    flag: bool = False
    count: int | None = None
    ratio: float = 1.0
    names: tuple[str, ...] = ()
    folder: Path = Path("/default")
    alias: int = attrs.field(default=0, metadata={"env": ("OLD_NAME", "OLDER_NAME")})
    seconds: float = attrs.field(
        default=1.0, validator=positive, metadata={"env": (Variable("MS", read_milliseconds),)}
    )
    switch: bool = attrs.field(default=True, metadata={"env": (Variable("SWITCH_PORT", off_for_zero), "SWITCH")})


@attrs.frozen(kw_only=True)
class Needy:
    """A field without a default."""

    needed: str
    other: int = 0


def config(tables: dict[str, dict[str, Any]], **environ: str) -> Config:
    """Make a configuration that was read from /etc/studiogate/plugins.toml."""
    return Config(path=Path("/etc/studiogate/plugins.toml"), plugins=(), tables=tables, environ=environ)


def written(folder: Path, content: str | bytes) -> Path:
    """Write a plugins.toml."""
    path = folder / "plugins.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("flag", "variable", "file", "expected"),
    [
        (1, "2", 3, 1),
        (None, "2", 3, 2),
        (None, None, 3, 3),
        (None, None, None, 2048),
        (1, None, None, 1),
        (None, "2", None, 2),
    ],
)
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    flag: int | None, variable: str | None, file: int | None, expected: int
) -> None:
    """A value is taken from the strongest place that has one."""
    made = Config(
        path=Path("/plugins.toml"),
        plugins=(),
        tables={} if file is None else {"gateway": {"port": file}},
        environ={} if variable is None else {"STUDIOGATE_GATEWAY_PORT": variable},
        flags={} if flag is None else {"gateway": {"port": flag}},
    )

    assert made.gateway.port == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PORT": "1"}, 1),
        ({"DEFAULT_FASTAPI_PORT": "1"}, 1),
        ({"DEFAULT_FASTAPI_PORT": "1", "PORT": "2"}, 2),
        ({"PORT": "1", "STUDIOGATE_GATEWAY_PORT": "2"}, 2),
    ],
)
def test_a_variable_of_our_own_name_beats_its_aliases(environ: dict[str, str], expected: int) -> None:
    """PORT and the older guide's name set the port too, but STUDIOGATE_GATEWAY_PORT is stronger."""
    assert config({}, **environ).gateway.port == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("TEXT", "a, b", "a, b"),
        ("FLAG", "true", True),
        ("FLAG", " 1", True),
        ("FLAG", "False", False),
        ("COUNT", "7", 7),
        ("RATIO", "0.5", 0.5),
        ("RATIO", "2", 2.0),
        ("NAMES", "a, b,,c ", ("a", "b", "c")),
        ("FOLDER", "there", Path("/etc/studiogate/there")),
    ],
)
def test_the_environment_is_read_as_the_fields_type(name: str, text: str, expected: object) -> None:
    """A variable's text becomes what the field wants."""
    made = config({}, **{f"STUDIOGATE_MINE_{name}": text}).settings("mine", Settings)

    assert getattr(made, name.lower()) == expected


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("STUDIOGATE_MINE_FLAG", "yes", "must be true or false"),
        ("STUDIOGATE_MINE_COUNT", "1.5", "must be a whole number"),
        ("STUDIOGATE_MINE_RATIO", "half", "must be a number"),
        ("OLD_NAME", "x", "must be a whole number"),
    ],
)
def test_a_wrong_variable_is_named(name: str, text: str, wanted: str) -> None:
    """A variable that can't be read is refused under its own name, not the file's."""
    with pytest.raises(ConfigurationError, match=f"environment variable {name}: {wanted}, not '{text}'"):
        config({}, **{name: text}).settings("mine", Settings)


@pytest.mark.parametrize("name", ["OLD_NAME", "STUDIOGATE_MINE_ALIAS"])
def test_an_empty_variable_is_not_set(name: str) -> None:
    """`PORT=` means what leaving it out means: the next weaker place is asked."""
    assert config({"mine": {"alias": 3}}, **{name: ""}).settings("mine", Settings).alias == 3
    assert config({}, **{name: "", "OLDER_NAME": "4"}).settings("mine", Settings).alias == 4


def test_a_variable_may_have_a_reading_of_its_own() -> None:
    """A field's metadata can say how a variable's text becomes the value, here milliseconds for seconds."""
    assert config({}, MS="1500").settings("mine", Settings).seconds == 1.5
    assert config({}, RESPONSE_COMPLETION_TIMEOUT="300000").gateway.deadline_s == 300


def test_a_variable_may_have_no_say() -> None:
    """One whose reading returns None leaves the field to the next variable."""
    assert config({}, SWITCH_PORT="3120").settings("mine", Settings).switch is True
    assert config({}, SWITCH_PORT="0").settings("mine", Settings).switch is False
    assert config({}, SWITCH_PORT="3120", SWITCH="false").settings("mine", Settings).switch is False


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("MS", "soon", "environment variable MS: must be a number, not 'soon'."),
        ("MS", "0", "environment variable MS: [mine] seconds: must be more than 0, not 0.0."),
        ("SWITCH_PORT", "off", "environment variable SWITCH_PORT: must be a whole number, not 'off'."),
    ],
)
def test_a_variable_with_a_reading_of_its_own_is_named_too(name: str, text: str, message: str) -> None:
    """Whether the reading refuses the text or the field its value, the message names the variable."""
    with pytest.raises(ConfigurationError) as refusal:
        config({"mine": {"count": 1}}, **{name: text}).settings("mine", Settings)

    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("made", "origin"),
    [
        (config({}), None),
        (config({"mine": {"alias": 1}}), "plugins.toml"),
        (config({"mine": {"alias": 1}}, OLD_NAME="1"), "environment variable OLD_NAME"),
        (config({"mine": {"alias": 1}}, STUDIOGATE_MINE_ALIAS="1"), "environment variable STUDIOGATE_MINE_ALIAS"),
        (attrs.evolve(config({}, OLD_NAME="1"), flags={"mine": {"alias": 1}}), "command line"),
    ],
)
def test_a_setting_knows_where_it_comes_from(made: Config, origin: str | None) -> None:
    """For messages about a value: the strongest place that has one."""
    assert made.origin("mine", Settings, "alias") == origin


def test_a_missing_key_belongs_in_the_file() -> None:
    """What is required and nowhere is asked of the file, whatever else comes from the environment."""
    with pytest.raises(ConfigurationError, match=r"^plugins.toml: \[mine\] needed: is required\.$"):
        config({}, STUDIOGATE_MINE_OTHER="1").settings("mine", Needy)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("profiles/me", Path("/etc/studiogate/profiles/me")), ("/var/me", Path("/var/me")), ("~", Path.home())],
)
def test_relative_paths_are_relative_to_the_file(folder: str, expected: Path) -> None:
    """A path in plugins.toml means the same wherever the gateway is started; `~` is the home folder."""
    assert config({"mine": {"folder": folder}}).settings("mine", Settings).folder == expected


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"nmaes": []}, "[mine] nmaes: is not known here. Did you mean 'names'?"),
        ({"count": "7"}, "[mine] count: must be a whole number, not a string."),
        ({"count": 7.0}, "[mine] count: must be a whole number, not 7.0."),
        ({"count": True}, "[mine] count: must be a whole number, not true."),
        ({"flag": 1}, "[mine] flag: must be true or false, not 1."),
        ({"flag": "yes"}, "[mine] flag: must be true or false, not a string."),
        ({"text": 1}, "[mine] text: must be a string, not 1."),
        ({"names": "a"}, "[mine] names: must be a list, not a string."),
        ({"names": ["a", 1]}, "[mine] names[1]: must be a string, not 1."),
        ({"folder": 1}, "[mine] folder: must be a path, as a string."),
        ({"folder": ""}, "[mine] folder: must be a path, as a string."),
    ],
)
def test_a_wrong_value_is_named_with_file_table_and_key(table: dict[str, Any], message: str) -> None:
    """One message says where, what is wrong and what would be right; no type is guessed from another."""
    with pytest.raises(ConfigurationError) as refusal:
        config({"mine": table}).settings("mine", Settings)

    assert str(refusal.value) == f"plugins.toml: {message}"


def test_every_wrong_value_is_named_at_once() -> None:
    """An operator needn't start three times to learn of three mistakes."""
    with pytest.raises(ConfigurationError) as refusal:
        config({"mine": {"count": "7", "flag": 1, "text": 2}}).settings("mine", Settings)

    assert [line.split(":")[1] for line in str(refusal.value).splitlines()] == [
        " [mine] text",
        " [mine] flag",
        " [mine] count",
    ]


@pytest.mark.parametrize(
    ("key", "value", "limits"),
    [
        ("port", 65536, "from 0 to 65535"),
        ("port", -1, "from 0 to 65535"),
        ("slots", 0, "more than 0"),
        ("queue_limit", -1, "more than 0"),
        ("deadline_s", 0, "more than 0"),
        ("silence_s", float("nan"), "more than 0"),
        ("grace_s", float("inf"), "more than 0"),
        ("max_body_bytes", 0, "more than 0"),
        ("max_media_bytes", 0, "more than 0"),
        ("max_tool_rounds", 0, "more than 0"),
        ("tool_call_s", 0, "more than 0"),
        ("max_tool_result_chars", 0, "more than 0"),
    ],
)
def test_a_value_out_of_range_is_named_with_the_range(key: str, value: float, limits: str) -> None:
    """The gateway's own numbers have limits, and the message says which."""
    with pytest.raises(ConfigurationError, match=rf"plugins\.toml: \[gateway\] {key}: must be {limits}, not "):
        _ = config({"gateway": {key: value}}).gateway


def test_a_whole_number_is_a_number() -> None:
    """`grace_s = 5` is as good as `5.0`."""
    assert config({"gateway": {"grace_s": 5}}).gateway.grace_s == 5.0


def test_a_file_is_read(tmp_path: Path) -> None:
    """Names keep their order; tables wait for whoever asks for them."""
    path = written(tmp_path, 'plugins = ["b", "a"]\n[gateway]\nport = 1\n[b]\nx = 2\n')
    read = load_config(path)

    assert read.path == path.resolve()
    assert read.plugins == ("b", "a")
    assert read.tables == {"gateway": {"port": 1}, "b": {"x": 2}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("plugins = [", "is not TOML: "),
        ("a = 1\na = 2\nplugins = []", "is not TOML: "),
        (f"plugins = []\na = {'1' * 5000}", "is not TOML: "),
        (f"plugins = []\na = {'[' * 5000}", "is not TOML: "),
        (b'plugins = ["\xff"]', "is not UTF-8 text"),
        ("", "plugins: must be a list of names, such as plugins = "),
        ('plugins = "a"', "plugins: must be a list of names"),
        ("plugins = [1]", "plugins: must be a list of names"),
        ("[plugins]", "plugins: must be a list of names"),
        ('plugins = ["a", "b", "a"]', "plugins: a is listed more than once"),
        ("plugins = []\nport = 1", "port: is no key of the file's top level"),
        ("plugins = []\n[models]\nid = 'a'", "models: must be tables headed [[models]], each with an id."),
        ("plugins = []\nmodels = ['a']", "models: must be tables headed [[models]], each with an id."),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    """Whatever is wrong with the file as a whole is one message that names it."""
    with pytest.raises(ConfigurationError) as refusal:
        load_config(written(tmp_path, content))

    assert str(refusal.value).startswith(f"plugins.toml: {message}")
    assert str(tmp_path) not in str(refusal.value)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """Without a file the message names the option and the least a file needs."""
    with pytest.raises(ConfigurationError, match=r"mine\.toml: there is no such file. Name one with --config"):
        load_config(tmp_path / "mine.toml")


def test_a_file_that_cant_be_read_says_why(tmp_path: Path) -> None:
    """A folder in the file's place is refused in the system's words."""
    with pytest.raises(ConfigurationError, match="can't be read: Is a directory"):
        load_config(tmp_path)


def test_models_are_read(tmp_path: Path) -> None:
    """In order, their ids without the upstream's prefix."""
    path = written(
        tmp_path,
        """
        plugins = []
        [[models]]
        id = "models/a"
        target = " models/b"
        display_name = "A"
        [[models]]
        id = "b"
        """,
    )

    assert load_config(path).injected_models == (
        InjectedModel(id="a", target="b", display_name="A"),
        InjectedModel(id="b"),
    )
    assert load_config(written(tmp_path, "plugins = []")).injected_models == ()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([{"target": "a"}], "[models[0]] id: is required."),
        ([{"id": "a"}, {"target": "a"}], "[models[1]] id: is required."),
        ([{"id": ""}], "[models[0]] id: must not be empty."),
        ([{"id": "models/"}], "[models[0]] id: must not be empty."),
        ([{"id": 1}], "[models[0]] id: must be a string, not 1."),
        ([{"id": "a", "target": " "}], "[models[0]] target: must not be empty."),
        ([{"id": "a", "display_name": ""}], "[models[0]] display_name: must not be empty."),
        ([{"id": "a", "tagret": "b"}], "[models[0]] tagret: is not known here. Did you mean 'target'?"),
        ([{"id": "a"}, {"id": "b"}, {"id": "models/a"}], "[models[2]] id: 'a' is listed more than once."),
    ],
)
def test_a_wrong_model_is_named_with_file_table_and_key(tables: list[dict[str, Any]], message: str) -> None:
    """One message says which table and what would be right."""
    made = Config(path=Path("/plugins.toml"), plugins=(), tables={}, model_tables=tuple(tables), environ={})

    with pytest.raises(ConfigurationError) as refusal:
        _ = made.injected_models

    assert str(refusal.value) == f"plugins.toml: {message}"


@pytest.mark.parametrize(
    ("table", "hint"), [("mnie", "Did you mean 'mine'?"), ("zzz", "There are: defaults, gateway, mine, other.")]
)
def test_a_table_of_nobody_is_refused(table: str, hint: str) -> None:
    """A table must be the gateway's or that of an installed plugin, so that no typing error passes silently."""
    with pytest.raises(ConfigurationError) as refusal:
        config({table: {}}).check_tables(["mine", "other"])

    assert str(refusal.value) == f"plugins.toml: [{table}]: no plugin has this name. {hint}"


def test_a_table_of_an_unlisted_plugin_is_accepted() -> None:
    """Taking a plugin out of the list doesn't mean deleting its settings."""
    config({"gateway": {}, "mine": {"anything": 1}}).check_tables(["mine"])


def test_the_environment_stays_out_of_the_representation() -> None:
    """A configuration that is printed shows none of the environment's secrets."""
    assert "hunter2" not in repr(config({}, PASSWORD="hunter2"))
