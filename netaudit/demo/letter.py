"""The letter that starts the story."""

from __future__ import annotations

from pathlib import Path

from netaudit.demo.office import GOV, SUPERIOR, UNIT
from netaudit.demo.week import NOTICED_PORT

NUMBER = "示网办通〔2026〕12号"
_LETTER = """{superior}

{number}

关于核查处置异常网络访问行为的通知

{unit}：

    经监测发现，2026年11月4日14时05分许，你单位出口IP地址 {egress}（源端口 {port}）\
访问违规境外网站 flagged-site[.]example（目的IP地址 198.51.100.77，目的端口 443，协议 TCP）。

    请你单位立即组织核查，查明访问终端、使用人员和原因，落实整改措施，\
并于收到本通知之日起5个工作日内将核查处置情况书面报送我办。

    （本文为演示用虚构文书，所涉单位、地址、域名均不存在。）

{superior}
2026年11月5日
"""


def write_letter(path: Path) -> None:
    """Write the letter, UTF-8."""
    text = _LETTER.format(superior=SUPERIOR, number=NUMBER, unit=UNIT, egress=GOV.egress, port=NOTICED_PORT)
    path.write_text(text, encoding="utf-8", newline="\n")
