"""Letters as offices get them: wordings, encodings, precision, and what is missing."""

from __future__ import annotations

import datetime as dt
import zipfile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from netaudit.case import letter_clues, letter_times, reading
from netaudit.case.letter_times import find_moments
from netaudit.case.reading import read_notice
from netaudit.errors import ConfigError, InputError

ZONE = ZoneInfo("Asia/Shanghai")
RECEIVED = dt.datetime(2026, 11, 5, 9, 20, tzinfo=ZONE)

CIRCULAR = """中共云溪县委网络安全和信息化委员会办公室文件
云网办通报〔2026〕 第 3 期
关于你单位网络违规访问
境外网站问题的通报

县政务服务中心：
　　经监测发现，你单位出口地址２０３．０．１１３．５（源端口20500）于2026年11月4日14时05分09秒访问境外违法网站\
hxxps://www.bad-site[.]example/x（目的地址198.51.100.7，目的端口443，TCP协议）。
　　请你单位立即核查整改，并于2026年11月10日前将整改情况书面报我办。联系人：张某，邮箱 a@b.gov.cn。
中共云溪县委网络安全和信息化委员会办公室
2026年11月5日
"""

ORDER = """责令整改通知书
编号：云网办责字[2026]12号
县政务服务中心：
现将有关线索通报如下，以上时间均为北京时间：
时间：2026-11-04 14:05:09
公网IP：203.0.113.5
源端口：20500
目的IP：198.51.100.7
目的端口：443
域名：bad【.】example
时间：2026年11月3日14时05分
公网IP：203.0.113.5
域名：bad2[.]example
收到本通知书后五日内反馈整改情况。
云溪县互联网信息办公室
二〇二六年十一月五日
"""

ENGLISH = """From: County Cyberspace Office
Reference: CO-2026-003
Subject: Access to a prohibited overseas site
Date: 5 November 2026

Your public address 203.0.113.5, source port 20500, visited hxxp://bad[.]example at 14:05:09 on 4 November 2026 (UTC+8).
Please rectify and reply within three working days of receipt.
"""


@pytest.fixture
def read(tmp_path):
    def of(text: str, encoding: str = "utf-8", *, received_at: dt.datetime | None = RECEIVED):
        path = tmp_path / "letter.txt"
        path.write_bytes(text.encode(encoding))
        return read_notice(path, timezone="Asia/Shanghai", received_at=received_at)

    return of


def local(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=ZONE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_circular_in_every_encoding(read, encoding):
    notice = read(CIRCULAR, encoding)
    assert notice.issuer == "中共云溪县委网络安全和信息化委员会办公室"
    assert notice.number == "云网办通报〔2026〕第3期"
    assert notice.subject == "关于你单位网络违规访问境外网站问题的通报"
    assert notice.issued_on == dt.date(2026, 11, 5)
    assert notice.due == dt.date(2026, 11, 10)
    assert notice.due_text.endswith("并于2026年11月10日前将整改情况书面报我办")
    (clue,) = notice.clues
    assert clue.at == local(2026, 11, 4, 14, 5, 9)
    assert (clue.precision_s, clue.until) == (1, None)
    assert (clue.public_ip, clue.port, clue.transport) == ("203.0.113.5", 20500, "tcp")
    assert (clue.dst_name, clue.dst_ip, clue.dst_port) == ("www.bad-site.example", "198.51.100.7", 443)
    assert "hxxps" in clue.text
    assert notice.missing == (letter_times.NO_ZONE,)
    assert notice.assumptions == (reading.ZONE_TAKEN,)


def test_labelled_lines_make_one_clue_each(read):
    notice = read(ORDER)
    assert notice.number == "云网办责字〔2026〕12号"
    assert notice.issued_on == dt.date(2026, 11, 5)
    assert notice.due == dt.date(2026, 11, 10)
    first, second = notice.clues
    assert (first.port, first.dst_port, first.dst_name, first.zone_stated) == (
        20500,
        443,
        "bad.example",
        True,
    )
    assert (second.dst_name, second.port, second.precision_s) == ("bad2.example", None, 60)
    assert second.until == local(2026, 11, 3, 14, 6)
    assert first.missing == ()
    assert set(second.missing) == {letter_clues.NO_PORT, letter_clues.NO_SECONDS}


def test_english_letter(read):
    notice = read(ENGLISH)
    assert (notice.issuer, notice.number) == ("County Cyberspace Office", "CO-2026-003")
    assert notice.subject == "Access to a prohibited overseas site"
    assert notice.due is None
    assert notice.missing == (reading.WORKING_DAYS,)
    (clue,) = notice.clues
    assert clue.at == local(2026, 11, 4, 14, 5, 9)
    assert clue.zone_stated
    assert (clue.public_ip, clue.port, clue.dst_name) == ("203.0.113.5", 20500, "bad.example")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("云网办通报〔2026〕3号", "云网办通报〔2026〕3号"),
        ("〔2026〕第 3 期", "〔2026〕第3期"),
        ("云网办［２０２６］第3期", "云网办〔2026〕第3期"),
        ("根据云网办〔2026〕3号要求", ""),
    ],
)
def test_numbers(read, line, number):
    assert read(f"{line}\n").number == number


@pytest.mark.parametrize(
    ("text", "at", "precision"),
    [
        ("2026年11月3日14时05分09秒", local(2026, 11, 3, 14, 5, 9), 1),
        ("2026年11月3日14时05分", local(2026, 11, 3, 14, 5), 60),
        ("2026年11月3日下午2时", local(2026, 11, 3, 14), 3600),
        ("2026年11月3日", local(2026, 11, 3), 86400),
        ("2026-11-03 14:05:09", local(2026, 11, 3, 14, 5, 9), 1),
        ("2026/11/3 14:05", local(2026, 11, 3, 14, 5), 60),
        ("2026-11-03T06:05:09Z", local(2026, 11, 3, 14, 5, 9), 1),
        ("2026-11-03 14:05:09 +0800", local(2026, 11, 3, 14, 5, 9), 1),
        ("2026-11-03T01:05:09-05:00", local(2026, 11, 3, 14, 5, 9), 1),
        ("November 3, 2026, 2:05 pm", local(2026, 11, 3, 14, 5), 60),
        ("3rd November 2026 at 14:05:09", local(2026, 11, 3, 14, 5, 9), 1),
        ("11月3日14:05", local(2026, 11, 3, 14, 5), 60),
        ("12月3日14:05", local(2025, 12, 3, 14, 5), 60),
    ],
)
def test_times(text, at, precision):
    (moment,) = find_moments(text, ZONE, before=dt.date(2026, 11, 5))
    assert (moment.at, moment.precision_s) == (at, precision)


@pytest.mark.parametrize(
    "text", ["10.66.3.77", "203.0.113.5:20500", "3-4", "2026年13月3日", "2026-11-31", "14:05"]
)
def test_no_times(text):
    assert find_moments(text, ZONE) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("一", 1),
        ("十", 10),
        ("十五", 15),
        ("二十", 20),
        ("九十九", 99),
        ("", 0),
        ("一二", 0),
        ("十三四", 0),
        ("二三十", 0),
    ],
)
def test_chinese_numerals(text, number):
    assert letter_times.han_number(text) == number


def test_span_is_no_zone():
    (moment,) = find_moments("2026/11/3 14:05-14:20", ZONE)
    assert moment.at == local(2026, 11, 3, 14, 5)
    assert moment.until == local(2026, 11, 3, 14, 21)
    assert not moment.zone_stated


def test_ambiguous_zone_is_refused_and_said():
    (moment,) = find_moments("2026-11-03 14:05:09 CST", ZONE)
    assert not moment.zone_stated
    assert moment.notes == (letter_times.ABBREVIATION,)


def test_one_address_for_several_visits(read):
    notice = read(
        "你单位出口IP 203.0.113.5 访问境外违法网站 bad[.]example 的情况如下：\n"
        "1. 11月3日14时05分许，源端口20500；\n2. 11月4日14时5分9秒，源端口20501。\n县委网信办\n2026年11月5日\n"
    )
    assert [(c.public_ip, c.port, c.dst_name) for c in notice.clues] == [
        ("203.0.113.5", 20500, "bad.example"),
        ("203.0.113.5", 20501, "bad.example"),
    ]
    assert letter_times.APPROXIMATE in notice.clues[0].missing
    assert letter_clues.ONE_FOR_ALL in notice.assumptions
    assert letter_times.YEAR_TAKEN in notice.assumptions


def test_two_times_of_one_visit_pattern(read):
    notice = read(
        "203.0.113.5:20500 于2026-11-03 14:05:09、2026-11-04 15:00:00 两次连接198.51.100.7:443。\n"
    )
    assert [(c.at, c.port, c.dst_port) for c in notice.clues] == [
        (local(2026, 11, 3, 14, 5, 9), 20500, 443),
        (local(2026, 11, 4, 15, 0, 0), 20500, 443),
    ]


def test_whose_address_is_not_guessed(read):
    (clue,) = read("2026-11-03 14:05:09 203.0.113.5 198.51.100.7 源端口20500\n").clues
    assert (clue.public_ip, clue.dst_ip) == ("", "")
    assert letter_clues.WHOSE in clue.missing


@pytest.mark.parametrize(
    ("words", "due", "missing"),
    [
        ("请于11月8日前反馈。", dt.date(2026, 11, 8), None),
        ("收到本通报之日起3日内报送整改情况。", dt.date(2026, 11, 8), None),
        ("收到后24小时内反馈。", dt.date(2026, 11, 6), None),
        ("自印发之日起10天内完成整改。", dt.date(2026, 11, 15), None),
        ("请在5个工作日内整改。", None, reading.WORKING_DAYS),
        ("收到后十五日内反馈。", dt.date(2026, 11, 20), None),
        ("收到后两天内反馈。", dt.date(2026, 11, 7), None),
        ("请在5日内整改。", None, reading.DUE_START),
        ("Reply no later than 10 November 2026.", dt.date(2026, 11, 10), None),
    ],
)
def test_deadlines(read, words, due, missing):
    notice = read(f"{words}\n县委网信办\n2026年11月5日\n")
    assert notice.due == due
    assert notice.due_text == words.strip("。")
    assert missing is None or missing in notice.missing


def test_deadline_from_receipt_without_receipt(read):
    notice = read("收到后3日内反馈。\n", received_at=None)
    assert notice.due is None
    assert reading.NO_RECEIPT in notice.missing


def test_empty_letter_says_everything_that_is_missing(read):
    assert set(read("").missing) == {
        reading.NO_ISSUER,
        reading.NO_NUMBER,
        reading.NO_SUBJECT,
        reading.NO_DATE,
        reading.NO_DUE,
        reading.NO_CLUE,
    }


def test_docx_with_a_table_of_visits(tmp_path):
    docx = pytest.importorskip("docx")
    document = docx.Document()
    for line in CIRCULAR.splitlines()[:5]:
        document.add_paragraph(line)
    rows = [
        ("序号", "时间", "源IP", "源端口", "目的IP", "目的端口"),
        ("1", "2026年11月4日14:05:09", "203.0.113.5", "20500", "198.51.100.7", "443"),
        ("2", "2026年11月4日15:10:00", "203.0.113.5", "20777", "198.51.100.8", "8443"),
    ]
    table = document.add_table(rows=3, cols=6)
    for row, values in zip(table.rows, rows, strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    document.save(tmp_path / "letter.docx")
    notice = read_notice(tmp_path / "letter.docx", timezone="Asia/Shanghai")
    assert [(c.port, c.dst_ip, c.dst_port) for c in notice.clues] == [
        (20500, "198.51.100.7", 443),
        (20777, "198.51.100.8", 8443),
    ]
    assert notice.subject == "关于你单位网络违规访问境外网站问题的通报"
    assert len(notice.sha256) == 64


def test_files_that_are_no_letters(tmp_path):
    bad = tmp_path / "x.docx"
    bad.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(InputError) as caught:
        read_notice(bad, timezone="UTC")
    assert caught.value.code == "letter-damaged"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(InputError):
        read_notice(bad, timezone="UTC")
    bad.write_bytes(b"\xff\xff\xfe\x80\x00")
    with pytest.raises(InputError) as caught:
        read_notice(bad, timezone="UTC")
    assert caught.value.code == "letter-encoding"
    bad.write_text("x" * 30_000, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_notice(bad, timezone="UTC")
    assert caught.value.code == "letter-too-large"
    with pytest.raises(InputError):
        read_notice(tmp_path / "absent", timezone="UTC")


def test_unknown_zone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError):
        read_notice(path, timezone="CST")


PIECES = st.sampled_from(
    [
        "2026年11月4日",
        "14时05分",
        "203.0.113.5",
        ":20500",
        "源端口",
        "目的",
        "hxxp://a[.]b/",
        "访问",
        "。",
        "\n",
        "日内反馈",
        "于",
        "前",
        "[.]",
        "二〇二六年",
        "0",
        "99",
        "：",
        "（",
        "by",
        "within",
        "UTC+8",
        "\u202e",
        "::1",
        "bad.example",
    ]
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.text(max_size=6), max_size=40))
def test_any_text_is_read(tmp_path_factory, pieces):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes("".join(pieces).encode("utf-8", "replace"))
    notice = read_notice(path, timezone="Asia/Shanghai")
    assert all(c.at is None or c.at.tzinfo is not None for c in notice.clues)
