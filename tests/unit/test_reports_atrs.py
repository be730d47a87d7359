"""A record of the transparency standard: complete fields, honest gaps, a sound document."""

import datetime as dt
import io
import json
import zipfile
from dataclasses import fields
from xml.etree import ElementTree

import pytest

from placeshaping._core.errors import InputError
from placeshaping._core.provenance import SourceFile
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable
from placeshaping.reports.atrs import Organisation, make_atrs, write_atrs
from placeshaping.reports.atrs_fields import TEMPLATES
from placeshaping.reports.layer_audit import decide
from placeshaping.reports.odt import MIMETYPE, odt_of
from placeshaping.reports.transparency import LayerFacts, TransparencyRecord

DAY = dt.date(2026, 2, 3)
ORGANISATION = Organisation(
    organisation="Fenmarch Police",
    team="Analysis",
    senior_responsible_owner="Head of analysis",
    contact_email="nobody@example.org",
    organisation_type="Police force",
    website_url="https://www.example.org/patrols",
    region="East of England",
    function="Policing",
    capability="Prioritisation",
    task="Where to patrol",
    tags="place-based",
    external_supplier_involvement="No",
    phase="Beta/Pilot",
    required_training="Half a day",
    appeals_and_review="Write to the contact.",
    maintenance="Each quarter",
    impact_assessment="DPIA of January 2026",
    source_data_url="https://data.police.uk",
    data_sharing_agreements="None",
    data_access_and_storage="Analysts only",
    frequency_and_scale_of_usage="Each week",
)


@pytest.fixture(scope="module")
def record():
    facts = LayerFacts(
        title="Burglary & vehicle crime",
        purpose="To prevent burglary.",
        decides="A. Superintendent",
        contact="nobody@example.org",
        shift="4 February 2026, 22:00 to 06:00",
        offences={"Burglary": "reported"},
        overrides=(),
        model="trailing 12 months",
        because="It was the plainest.",
        parameters={},
        seed=0,
        method="Cells were joined.",
        records_from="2023-01-01",
        records_to="2025-12-31",
        precision="Places are snapped.",
        unlocated=0.02,
        elsewhere=0.01,
        sources=(SourceFile("records", "crime.zip", "a" * 64),),
        cells=24,
        patrols=3,
        share_of_area=0.02,
        cell_size=250,
        made_on=DAY,
        expires=dt.date(2026, 2, 6),
        policy="police",
        privacy=("No count leaves.",),
    )
    return TransparencyRecord(facts, decide(lift_upper=None, audit=None, decided_on=DAY))


@pytest.mark.parametrize("version", TEMPLATES)
def test_a_complete_organisation_leaves_nothing_missing(record, version):
    atrs = make_atrs(record, ORGANISATION, version=version)
    assert atrs.missing == ()
    assert atrs.answers["standard_version"] == version


def test_every_key_of_the_organisation_has_its_field():
    keys = {field.key for section in TEMPLATES["3.0"].values() for field in section}
    own = {one.name for one in fields(Organisation)} - {"organisation"}
    assert own <= keys


def test_numbers_are_those_of_the_published_tables():
    """Spot checks against the tables of January 2023 (v2.1) and March 2024 (v3.0)."""
    of = {
        version: {f.number: (f.key, f.needed) for section in template.values() for f in section}
        for version, template in TEMPLATES.items()
    }
    assert of["2.1"]["2.3.3"] == ("human_decisions_and_review", True)
    assert of["3.0"]["2.3.4"] == ("human_decisions_and_review", True)
    assert of["2.1"]["2.4.2"] == of["3.0"]["2.3.3"] == ("frequency_and_scale_of_usage", True)
    assert of["2.1"]["2.4.9"] == ("source_data_url", False)
    assert of["3.0"]["2.4.3.7"] == ("source_data_url", True)
    assert {len(fields_) for fields_ in of.values()} == {45, 62}


def test_what_nobody_has_said_is_told_as_missing(record, tmp_path):
    atrs = make_atrs(record, Organisation())
    assert "2.1.1 Organisation or department" in atrs.missing
    assert "1.1 Name" not in atrs.missing
    markdown = write_atrs(atrs, tmp_path)[0].read_text("utf-8")
    assert "2.1.1 Organisation or department: Not stated." in markdown
    assert f"{len(atrs.missing)} needed fields are yet to be completed" in markdown


def test_json_holds_every_field_of_the_template(record, tmp_path):
    told = json.loads(write_atrs(make_atrs(record, ORGANISATION), tmp_path)[1].read_text("utf-8"))
    assert told["standard_version"] == "3.0"
    numbers = [field["number"] for section in told["sections"].values() for field in section]
    wanted = [field.number for section in TEMPLATES["3.0"].values() for field in section]
    assert numbers == wanted
    assert len(set(wanted)) == len(wanted)


def test_a_version_without_a_template_is_refused(record):
    with pytest.raises(InputError, match=r"no template of version '9\.9'. There are: 2\.1, 3\.0"):
        make_atrs(record, ORGANISATION, version="9.9")


def test_the_document_is_well_formed_and_names_its_kind_first(record, tmp_path):
    path = write_atrs(make_atrs(record, ORGANISATION), tmp_path)[2]
    raw = path.read_bytes()
    assert raw[30:38] == b"mimetype"
    assert raw[38 : 38 + len(MIMETYPE)] == MIMETYPE.encode()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        names = {name for name in archive.namelist() if name.endswith(".xml")}
        trees = {name: ElementTree.fromstring(archive.read(name)) for name in names}
    listed = {
        value
        for entry in trees["META-INF/manifest.xml"]
        for key, value in entry.attrib.items()
        if key.endswith("full-path")
    }
    assert listed == {"/", *names} - {"META-INF/manifest.xml"}
    text = "".join(trees["content.xml"].itertext())
    assert "Burglary & vehicle crime" in text
    assert "2.1.3 Senior responsible owner: Head of analysis" in text


def test_the_document_holds_tables_and_survives_odd_characters():
    table = ReportTable("A & B", ("Name", "n"), (("<b>", "1\x00"), ("\ud800", "2")))
    section = ReportSection("One", points=("a", "b"), tables=(table,))
    content = ReportContent("T", "L.", (("Who", "I"),), ("Mind.",), (section,), ("End.",))
    with zipfile.ZipFile(io.BytesIO(odt_of(content))) as archive:
        tree = ElementTree.fromstring(archive.read("content.xml"))
    cells = ["".join(e.itertext()) for e in tree.iter() if e.tag.endswith("}table-cell")]
    assert cells == ["Name", "n", "<b>", "1", "", "2"]


def test_the_same_record_gives_the_same_bytes(record, tmp_path):
    one, two = (write_atrs(make_atrs(record, ORGANISATION), tmp_path / n) for n in ("a", "b"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
