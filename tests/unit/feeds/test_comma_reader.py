"""CSV."""

from __future__ import annotations

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, Reading, Unread, choose
from hub.feeds.readers.comma import CommaSeparated
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

CSV = CommaSeparated()
MD5, SHA1, SHA256 = "a" * 32, "b" * 40, "c" * 64


def read(text: str) -> list[Reading]:
    return list(CSV.read(text.encode()))


def raws(text: str) -> list[str]:
    return [reading.raw for reading in read(text) if isinstance(reading, RawIndicator)]


def test_header_with_type_class_and_date() -> None:
    text = (
        "type,indicator,classification,detected_date\n"
        "domain,evil[.]example,Phishing,2023-08-14\nip,198[.]51[.]100[.]7,legitimate,2023-08-15\n"
    )
    assert read(text) == [
        RawIndicator("row 2, column indicator", "evil[.]example", Kind.DOMAIN, ("phishing",), "2023-08-14T00:00:00Z"),
        RawIndicator(
            "row 3, column indicator",
            "198[.]51[.]100[.]7",
            None,
            ("legitimate",),
            "2023-08-15T00:00:00Z",
            legitimate=True,
        ),
    ]


def test_header_in_the_last_comment_line() -> None:
    text = (
        "#####\n# A feed #\n#\n# id,dateadded,url,url_status,threat,tags,urlhaus_link\n"
        '"1","2026-08-18 16:17:08","http://evil.example/i","online","malware_download","elf,Mirai,None",'
        '"https://publisher.example/url/1/"\n# END 1 entries\n'
    )
    (found,) = read(text)
    assert isinstance(found, RawIndicator)
    assert found.raw == "http://evil.example/i"
    assert found.kind is Kind.URL
    assert found.labels == ("malware_download", "elf", "mirai")
    assert found.first_seen == "2026-08-18T16:17:08Z"
    assert choose(text.encode()).name == "csv"


def test_mark_crlf_and_spreadsheet_dates() -> None:
    text = f"\ufeffSHA1,ListingReason,ListingDate\r\n{SHA1},Some C&C,12/22/2023 6:58\r\n"
    (found,) = read(text)
    assert found == RawIndicator("row 2, column sha1", SHA1, Kind.SHA1, ("some c&c",), "2023-12-22T06:58:00Z")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    text = "\n".join(delimiter.join(row) for row in [("domain_name", "ip_address"), ("e.example", "198.51.100.7")])
    assert raws(text) == ["e.example", "198.51.100.7"]
    assert choose(text.encode(), "x.csv").name == "csv"


def test_several_hashes_in_one_field() -> None:
    text = f'value,entity_type,description\n"{SHA256},{MD5},{SHA1}",file,a sample\nwww.e.example,hostname,c2\n'
    assert raws(text) == [SHA256, MD5, SHA1, "www.e.example"]


def test_a_type_column_speaks_of_the_general_column_only() -> None:
    first, second = read(f"SHA256,Type,C2\n{SHA256},DOMAIN,e.example\n")
    assert (first.raw, first.kind) == (SHA256, Kind.SHA256)  # type: ignore[union-attr] # the test knows which kind of reading it is
    assert (second.raw, second.kind) == ("e.example", Kind.DOMAIN)  # type: ignore[union-attr] # the test knows which kind of reading it is


def test_a_url_wins_over_its_own_host() -> None:
    text = "url,host,ip\nhxxp://E[.]example/a,e.example,198.51.100.7\n,other.example,\n"
    assert raws(text) == ["hxxp://E[.]example/a", "198.51.100.7", "other.example"]


def test_host_and_path_make_a_url() -> None:
    text = '"host","path","message","updated"\n"e.example","/a?b","bad","x"\n"198.51.100.7:81","","bad","x"\n'
    first, second = read(text)
    assert (first.raw, first.kind) == ("e.example/a?b", Kind.URL)  # type: ignore[union-attr] # the test knows which kind of reading it is
    assert (second.raw, second.kind) == ("198.51.100.7:81", None)  # type: ignore[union-attr] # the test knows which kind of reading it is


def test_ports_ids_and_links_are_no_indicators() -> None:
    text = "id,dst_ip,dst_port,reference,asn\n7,198.51.100.7,443,https://publisher.example/7,AS64500\n"
    assert raws(text) == ["198.51.100.7"]


def test_sort_code_and_account_number_go_together() -> None:
    (found,) = read("sort_code,account_number,tags\n20-20-15,55555555,mule\n")
    assert (found.raw, found.kind) == ("20-20-15 55555555", Kind.BANK_ACCOUNT)  # type: ignore[union-attr] # the test knows which kind of reading it is


def test_no_header_at_all() -> None:
    text = "2017-08-02 16:28:51,api.e.example\n2017-08-02 10:21:16,api2.e.example\n"
    first, _ = read(text)
    assert first == RawIndicator("row 1, column 2", "api.e.example", first_seen="2017-08-02T16:28:51Z")


def test_unknown_header_is_passed_over() -> None:
    assert raws("Thing,Where\nx,e1.example\ny,e2.example\n") == ["e1.example", "e2.example"]


def test_a_quote_that_is_never_closed_costs_one_row() -> None:
    rows = "".join(f"domain,e{number}.example\n" for number in range(100))
    found = read(f'type,indicator\ndomain,"broken.example\n{rows}')
    assert isinstance(found[0], Unread)
    assert found[0].where == "row 2"
    assert sum(isinstance(reading, RawIndicator) for reading in found) == 100


def test_a_quoted_field_may_span_lines() -> None:
    found = read('indicator,description\ne.example,"one\ntwo"\nf.example,x\n')
    assert [(each.raw, each.description) for each in found] == [("e.example", "one\ntwo"), ("f.example", "x")]  # type: ignore[union-attr] # the test knows which kind of reading it is
    assert found[1].where == "row 4, column indicator"


def test_long_fields_wide_rows_and_empty_rows_become_unread() -> None:
    text = f"indicator,note\n{'a' * 1_000_000}\n{',' * 5000}\n,x\ne.example,y\n"
    found = read(text)
    assert [type(each) for each in found] == [Unread, Unread, Unread, RawIndicator]
    assert all(len(each.raw) <= 120 for each in found if isinstance(each, Unread))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert raws(end.join(["type,indicator", "domain,a.example", "domain,b.example"])) == [
        "a.example",
        "b.example",
    ]


def test_no_column_with_values_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no column"):
        read("name,age\nBob,7\n")
    assert read("") == []


def test_a_million_quotes_take_no_long_time() -> None:
    assert all(isinstance(each, Unread) for each in read("indicator,x\n" + '"\n' * 39 + '"' * 1_000_001))


def test_prose_with_commas_is_no_table() -> None:
    text = "Seen today, by us:\nhxxp://e.example/a\nThen, later, and again:\nhxxp://e.example/b\n\nBye, all.\n"
    assert CSV.fits(text.encode(), "notes.txt") == 0


def test_a_tlp_column_holds_for_its_row_and_a_label_above_for_all() -> None:
    text = "value,TLP\na.example,amber\nb.example,TLP:GREEN\nc.example,\nd.example,tlp:unclear\n"
    assert [one.tlp for one in read(text) if isinstance(one, RawIndicator)] == [
        Tlp.AMBER, Tlp.GREEN, None, Tlp.AMBER_STRICT,
    ]  # fmt: skip
    above = [one.tlp for one in read(f"# TLP:AMBER\n{text}") if isinstance(one, RawIndicator)]
    assert above == [Tlp.AMBER, Tlp.AMBER, Tlp.AMBER, Tlp.AMBER_STRICT]


@pytest.mark.parametrize("name", ["verdict", "disposition", "assessment", "classification"])
def test_rows_that_are_called_harmless_are_legitimate(name: str) -> None:
    found = read(f"domain,{name}\na.example,benign\nb.example,malicious\n")
    assert [one.legitimate for one in found if isinstance(one, RawIndicator)] == [True, False]


@pytest.mark.parametrize("header", ["Sort Code,Account No", "SortCode,Account Number", "Bank Sort Code,Account"])
def test_accounts_by_their_usual_names(header: str) -> None:
    assert raws(f"{header}\n20-20-15,55555555\n") == ["20-20-15 55555555"]
