#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz-agent-config: make_config_corpus.py DIRECTORY STAMP"""
import os
import sys

SEEDS = (
    "[Agent]\nSocket=/s\nState=/t\nInterface=wg0\nGateway=10.2.0.1:5351\nMethod=pcp natpmp\n"
    "Firewall=nftables\nPortFile=/p\n",
    "[Mapping]\nName=a\nForward=any:51413/both 80:8080,443\nLifetime=60s\nFollow=yes\n"
    "Exact=no\nPersist=yes\nHost=192.168.1.9\n[Mapping]\nForward=6881-6889/udp\n",
    "[Hook]\nOn=mapped,changed\nRun=echo ; true\nTimeout=5s\n"
    "[Hook]\nWebhook=https://example.net/x\n"
    "[Hook]\nFile=/f\nFormat={external_port} {{ {name}\n",
    "[Mapping]\nName=a\nForward=80\n[Connector]\nType=deluge\nUrl=http://localhost:8112\n"
    "Mapping=a\nUser=u\n",
    "\ufeff# comment\n; another\n\n  [ Agent ]\r\nKey: value\n=\n[",
    "[Agent]\nListen=127.0.0.1:80\nToken=x\nTokenFile=name\n",
)


def main():
    folder, stamp = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        with open(os.path.join(folder, f"seed-{number}"), "w", encoding="utf-8") as file:
            file.write(seed)
    with open(stamp, "w", encoding="utf-8"):
        pass


if __name__ == "__main__":
    main()
