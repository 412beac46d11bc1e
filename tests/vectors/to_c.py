#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the golden packets and clock tables as C (vectors.h says what for).

usage: to_c.py VECTORS.json EPOCH.json TIMER.json OUTPUT.c

A key this script does not know is an error: nothing of the tables may get lost
on the way to the tests.
"""
import ipaddress
import json
import sys

PROTOCOL = {"nat-pmp": "VECTOR_NATPMP", "pcp": "VECTOR_PCP", "either": "VECTOR_EITHER"}
STATE = {
    "NAT-PMP is switched off": "NATPMP_OFF",
    "PCP is switched off": "PCP_OFF",
    "TCP 8080 of this host is mapped under another nonce": "OTHER_NONCE",
    "TCP 22 of this host is statically mapped": "STATIC",
    "external TCP 9000 belongs to another host": "EXTERNAL_TAKEN",
    "packet arrives on the WAN interface": "WAN_SIDE",
}
EXPECT = {  # JSON key: C field
    "result": "result", "length": "length", "version": "version", "opcode": "opcode",
    "lifetime": "lifetime_s", "internal_port": "internal_port",
    "external_port": "external_port", "assigned_external_port": "external_port",
    "assigned_external_address_family": "external_family",
    "hold": "hold_s", "lifetime_used": "lifetime_used_s",
}
DECODED = {  # JSON key: (C field, bit of `has`, kind)
    "version": ("version", "VERSION", "number"),
    "response": ("response", "RESPONSE", "number"),
    "opcode": ("opcode", "OPCODE", "number"),
    "result": ("result", "RESULT", "number"),
    "lifetime": ("lifetime_s", "LIFETIME", "number"),
    "requested_lifetime": ("lifetime_s", "LIFETIME", "number"),
    "epoch": ("epoch_s", "EPOCH", "number"),
    "client_address": ("client", "CLIENT", "address"),
    "nonce": ("nonce", "NONCE", "octets"),
    "protocol": ("protocol", "PROTOCOL", "number"),
    "internal_port": ("internal_port", "INTERNAL_PORT", "number"),
    "external_address": ("external_address", "EXTERNAL_ADDRESS", "address"),
    "remote_peer_port": ("remote.port", "REMOTE", "number"),
    "remote_peer_address": ("remote.address", "REMOTE", "address"),
}
for word in ("suggested_external", "mapped_external", "assigned_external"):
    DECODED[word + "_port"] = ("external_port", "EXTERNAL_PORT", "number")
    DECODED[word + "_address"] = ("external_address", "EXTERNAL_ADDRESS", "address")
# Seen in the octets themselves, or names of numbers that are there anyway.
DECODED_SKIPPED = {"length", "opcode_name", "result_name", "reserved", "reserved24", "reserved96",
                   "external_address_family", "left", "options", "more_options"}
OPTION_SKIPPED = {"name", "data", "port_set_size", "first_internal_port", "parity"}


def octets(data):
    return "{ " + ", ".join("0x%02x" % o for o in data) + " }"


def address(text):
    a = ipaddress.ip_address(text)
    packed = bytes(10) + b"\xff\xff" + a.packed if a.version == 4 else a.packed
    return "{ " + octets(packed) + " }"


def endpoint(text):
    host, _, port = text.rpartition(":")
    return "{ %s, %s }" % (address(host.strip("[]")), port)


def quoted(text):
    out = ""
    for octet in text.encode():
        printable = 0x20 <= octet < 0x7f and chr(octet) not in '"\\?'
        out += chr(octet) if printable else "\\%03o" % octet
    return '"' + out + '"'


def value(kind, v):
    if kind == "number":
        return str(int(v)) + "u"
    return address(v) if kind == "address" else octets(bytes.fromhex(v))


def need_known(name, keys, known):
    unknown = set(keys) - set(known)
    if unknown:
        sys.exit("%s: no field for %s" % (name, ", ".join(sorted(unknown))))


def silent_natpmp(data):
    """Octets of a NAT-PMP packet that a writer leaves zero; None when some trail."""
    opcode = data[1] if len(data) > 1 else 0
    size = {0: 2, 1: 12, 2: 12, 128: 12, 129: 16, 130: 16}.get(opcode, 8)
    if len(data) > 3 and opcode > 127 and data[2:4] == b"\x00\x01":
        size = 8
    if len(data) != size:
        return None
    return data[2:4] if opcode in (1, 2) else b""


def silent_pcp(data):
    """The same for PCP, padding and reserved octets of options included."""
    if len(data) < 24 or len(data) % 4:
        return None
    opcode = data[1] & 0x7f
    at = 24 + {1: 36, 2: 56}.get(opcode, 0)
    silent = data[2:3] + data[12:24] if data[1] & 0x80 else data[2:4]
    if opcode in (1, 2):
        silent += data[37:40]
    if opcode == 2:
        silent += data[62:64]
    while at < len(data):
        code, length = data[at], int.from_bytes(data[at + 2:at + 4], "big")
        end = at + 4 + length
        silent += data[at + 1:at + 2] + data[end:end + -length % 4]
        if code == 3 and length == 20:
            silent += data[at + 4:at + 5]
        at = end + -length % 4
    return silent if at == len(data) else None


def is_canonical(data):
    if not data:
        return False
    silent = silent_natpmp(data) if data[0] == 0 else silent_pcp(data) if data[0] == 2 else None
    return silent is not None and not any(silent)


def option(name, o):
    known = {"code", "length", "reserved", "overrun", "internal_address", "prefix_length",
             "remote_peer_port", "remote_peer_address", "text"}
    need_known(name, o, known | OPTION_SKIPPED)
    parts = [".code = %d" % o["code"], ".length = %d" % o["length"]]
    for key, field in (("reserved", "reserved"), ("overrun", "overrun"),
                       ("remote_peer_port", "port"), ("prefix_length", "prefix_length")):
        if key in o:
            parts.append(".%s = %d" % (field, o[key]))
    for key in ("internal_address", "remote_peer_address"):
        if key in o:
            parts.append(".address = " + address(o[key]))
    if "text" in o:
        parts.append(".text = " + quoted(o["text"]))
    return "{ " + ", ".join(parts) + " }"


def policy(v):
    p = v.get("policy", {})
    need_known(v["name"], p, {"third_party", "port_set", "state"})
    state = STATE[p["state"]] if "state" in p else "NONE"
    return ".policy = { .third_party = %d, .port_set = %d, .state = VECTOR_STATE_%s }," % (
        p.get("third_party", False), p.get("port_set", False), state)


def expect(v):
    e = v["expect"]
    need_known(v["name"], e, set(EXPECT) | {"action", "format", "to", "result_name"})
    fields = dict.fromkeys(EXPECT.values(), -1)
    for key, field in EXPECT.items():
        if isinstance(e.get(key), int):  # a text says why no number is fixed
            fields[field] = e[key]
    parts = [".action = VECTOR_" + e["action"].upper()]
    parts += [".%s = %s" % (k, PROTOCOL[e[k]]) for k in ("format", "to") if k in e]
    parts += [".%s = %d" % item for item in fields.items()]
    if "result_name" in e:
        parts.append(".result_name = " + quoted(e["result_name"]))
    return ".expect = { " + ", ".join(parts) + " },"


def decoded(index, v):
    d = v["decoded"]
    need_known(v["name"], d, set(DECODED) | DECODED_SKIPPED)
    present = [DECODED[k] + (d[k],) for k in DECODED if k in d]
    bits = sorted({"VECTOR_HAS_" + bit for _, bit, _, _ in present})
    parts = [".has = " + (" | ".join(bits) or "0")]
    parts += [".%s = %s" % (field, value(kind, v)) for field, _, kind, v in present]
    if d.get("options"):
        parts.append(".options = options_%d, .option_count = %d" % (index, len(d["options"])))
    parts.append(".more_options = %d" % d.get("more_options", False))
    return ".decoded = { " + ", ".join(parts) + " },"


def packet_tables(out, vectors):
    index = {v["name"]: i for i, v in enumerate(vectors)}
    if len(index) != len(vectors):
        sys.exit("two packets of one name")
    for i, v in enumerate(vectors):
        data = bytes.fromhex(v["hex"])
        out.append("static const uint8_t data_%d[] = %s;" % (i, octets(data or b"\0")))
        opts = v["decoded"].get("options")
        if opts:
            rows = ", ".join(option(v["name"], o) for o in opts)
            out.append("static const struct vector_option options_%d[] = { %s };" % (i, rows))
    out.append("const struct vector vectors[] = {")
    for i, v in enumerate(vectors):
        data = bytes.fromhex(v["hex"])
        out += [
            "{", ".name = " + quoted(v["name"]) + ",", ".why = " + quoted(v["why"]) + ",",
            ".protocol = %s," % PROTOCOL[v["protocol"]],
            ".direction = VECTOR_%s," % v["direction"].upper(),
            ".source = %s," % endpoint(v["src"]), ".target = %s," % endpoint(v["dst"]),
            ".data = data_%d, .len = %d," % (i, len(data)),
            ".valid = %d, .canonical = %d," % (v["valid"], is_canonical(data)),
            ".answers = %s," % ("&vectors[%d]" % index[v["answers"]] if "answers" in v else "NULL"),
            policy(v), expect(v), decoded(i, v), "},",
        ]
    out += ["};", "const size_t vector_count = %d;" % len(vectors)]


def epoch_table(out, rows):
    out.append("const struct vector_epoch vector_epochs[] = {")
    for r in rows:
        out.append("{ %s, %du, %d, %du, %d, %d, %d }," % (
            quoted(r["name"]), r["prev_server_time"], r["prev_client_time"],
            r["curr_server_time"], r["curr_client_time"], r["natpmp_valid"], r["pcp_valid"]))
    out += ["};", "const size_t vector_epoch_count = %d;" % len(rows)]


def ms(seconds):
    return round(seconds * 1000)


def timer_table(out, t):
    rt, bounds = t["pcp_rt_seconds"], t["pcp_rt_bounds"]
    rows = [(int(life), w) for life, ws in t["renewal_window_seconds"].items() for w in ws]
    rows.sort(key=lambda row: (row[0], row[1]["attempt"]))
    out.append("static const struct vector_window windows[] = {")
    out += ["{ %du, %du, %d, %d }," % (life, w["attempt"], ms(w["from"]), ms(w["to"]))
            for life, w in rows]
    out.append("};")
    lists = {
        "natpmp_request_send": t["natpmp_request_send_ms"],
        "announcement_send": t["announcement_send_ms"],
        "mapping_update_send": t["mapping_update_send_ms"],
        "pcp_rt_rand_zero": [ms(s) for s in rt["rand_zero"]],
        "pcp_rt_rand_low": [ms(s) for s in rt["rand_low"]],
        "pcp_rt_rand_high": [ms(s) for s in rt["rand_high"]],
    }
    for name, times in lists.items():
        out.append("static const int64_t %s[] = { %s };" % (name, ", ".join(map(str, times))))
    numbers = {
        "natpmp_request_give_up_ms": t["natpmp_request_give_up_ms"],
        "pcp_rt_first_min_ms": ms(bounds["first"][0]),
        "pcp_rt_first_max_ms": ms(bounds["first"][1]),
        "pcp_rt_ceiling_ms": ms(bounds["ceiling"]),
        "window_count": len(rows),
        "pcp_error_short_s": t["pcp_error_lifetime"]["short"],
        "pcp_error_long_s": t["pcp_error_lifetime"]["long"],
        "recovery_delay_min_ms": ms(t["recovery_delay_seconds"][0]),
        "recovery_delay_max_ms": ms(t["recovery_delay_seconds"][1]),
    }
    out.append("const struct vector_timers vector_timers = {")
    out += [".%s = { %s, %d }," % (name, name, len(times)) for name, times in lists.items()]
    out += [".%s = %d," % item for item in numbers.items()]
    out += [".windows = windows,", "};"]


def main():
    tables = []
    for path in sys.argv[1:4]:
        with open(path, encoding="utf-8") as f:
            tables.append(json.load(f))
    out = ["/* Made by to_c.py; do not edit. */", '#include "vectors.h"', "", "#include <stddef.h>"]
    packet_tables(out, tables[0])
    epoch_table(out, tables[1])
    timer_table(out, tables[2])
    with open(sys.argv[4], "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


main()
