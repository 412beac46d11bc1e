#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The room against devices that are right, wrong and hostile, each a python peer
on loopback: what comes of it, how long it takes, how much memory it costs.

    test_devices.py IGD-ASK"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))

from cases import case, expect, expect_in, run  # noqa: E402
from devices import (WAN, Device, addresses, description, drip, fault, flood,  # noqa: E402
                     http, reply, value_of)

ASK = sys.argv[1]
NONE, SILENT, NO_SERVICE, REFUSED, RESOURCES, OTHER_PORT, MALFORMED = 0, 2, 3, 4, 5, 7, 8
OUTSIDE = reply("GetExternalIPAddress", "<NewExternalIPAddress>203.0.113.7</NewExternalIPAddress>")
FREE = fault(714)
RIGHT = {"GetExternalIPAddress": OUTSIDE, "GetSpecificPortMappingEntry": FREE,
         "AddPortMapping": reply("AddPortMapping"),
         "DeletePortMapping": reply("DeletePortMapping")}
SANITIZED = "asan" in subprocess.run(["ldd", ASK], capture_output=True, text=True,
                                     check=False).stdout or "__asan" in subprocess.run(
    ["nm", ASK], capture_output=True, text=True, check=False).stdout


class Answer(dict):
    """What igd-ask printed, what it took."""


def ask(gateway, *job, hint="-", deadline_ms=4000, source="127.0.0.1"):
    start = time.monotonic()
    process = subprocess.Popen([ASK, gateway, source, hint, str(deadline_ms), *job],
                               stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    process.stdout.close()
    expect(status, 0, f"igd-ask {job}")
    answer = Answer(entry=[])
    for line in out.splitlines():
        key, _, value = line.partition(" ")
        if key == "entry":
            answer["entry"].append(value)
        else:
            answer[key] = int(value) if value.lstrip("-").isdigit() else value
    answer["seconds"] = time.monotonic() - start
    answer["kilobytes"] = usage.ru_maxrss
    return answer


def bounded(answer, seconds):
    """Its deadline and a little more; memory of one answer, whatever was sent."""
    if answer["seconds"] > seconds:
        raise AssertionError(f"took {answer['seconds']} s")
    if not SANITIZED and answer["kilobytes"] > 40000:
        raise AssertionError(f"took {answer['kilobytes']} kB")


@case("a right device is found, maps, and is remembered")
def right(opened):
    gateway, = addresses(1)
    device = opened.enter_context(Device(gateway, answers=RIGHT))
    found = ask(gateway, "find")
    expect(found["reason"], NONE, "reason")
    expect(found["address"], "203.0.113.7", "address")
    expect(found["version"], 1, "version")
    if found["seconds"] > 1:
        raise AssertionError("an answer that was there waited for the window of the search")
    device.requests.clear()
    searches = device.searches
    made = ask(gateway, "add", "tcp", "80", "8080", "60", "R&D <x>", hint=found["hint"])
    expect(made["reason"], NONE, "reason")
    expect(made["port"], 8080, "port")
    expect(made["address"], "203.0.113.7", "address")
    expect(device.searches, searches, "searches")
    request = next(r for r in device.requests if "#AddPortMapping" in r)
    expect(value_of(request, "NewInternalClient"), "127.0.0.1", "client")
    expect(value_of(request, "NewLeaseDuration"), "60", "lease")
    expect_in("<NewPortMappingDescription>R&amp;D &lt;x&gt;<", request, "description")


@case("a renewal by a remembered device is one request beside that for the address")
def one_request(opened):
    gateway, = addresses(1)
    device = opened.enter_context(Device(gateway, answers=RIGHT))
    hint = f"{WAN}1 http://{gateway}:{device.port}/ctl - -"
    made = ask(gateway, "add", "tcp", "80", "8080", "60", "renew", hint=hint)
    expect(made["reason"], NONE, "reason")
    expect(sorted(device.actions()), ["AddPortMapping", "GetExternalIPAddress"], "actions")


@case("a remembered device that is gone is looked for anew")
def stale_hint(opened):
    gateway, = addresses(1)
    opened.enter_context(Device(gateway, answers=RIGHT))
    for wrong in (f"{WAN}1 http://{gateway}:1/ctl - -", f"{WAN}1 http://192.0.2.1:80/ctl - -",
                  "nonsense"):
        for job in (("find",), ("add", "tcp", "80", "8080", "60")):
            expect(ask(gateway, *job, hint=wrong)["reason"], NONE, f"{wrong} {job}")


@case("a description that sends us to another host is refused, and nobody is asked")
def foreign_control(opened):
    gateway, other = addresses(2)
    victim = opened.enter_context(Device(other, answers=RIGHT, search=False))
    away = f"http://{other}:{victim.port}"
    for xml in (description(control=f"{away}/ctl"),
                description(extra=f"<URLBase>{away}/</URLBase>")):
        with Device(gateway, xml=xml, answers=RIGHT):
            answer = ask(gateway, "add", "tcp", "80", "80", "60")
            expect(answer["reason"], MALFORMED, "reason")
            expect(answer["presence"], 2, "absent")
    expect(victim.requests, [], "requests to the other host")


@case("a place of a description on another host is not looked at")
def foreign_location(opened):
    gateway, other = addresses(2)
    victim = opened.enter_context(Device(other, answers=RIGHT, search=False))
    opened.enter_context(Device(gateway, location=f"http://{other}:{victim.port}/rootDesc.xml"))
    expect(ask(gateway, "find")["reason"], NO_SERVICE, "reason")
    expect(victim.requests, [], "requests to the other host")


@case("a redirect is followed nowhere, neither of a description nor of an action")
def redirect(opened):
    gateway, other = addresses(2)
    victim = opened.enter_context(Device(other, answers=RIGHT, search=False))
    away = http("", "302 Found", f"Location: http://{other}:{victim.port}/ctl\r\n")
    with Device(gateway, description_answer=away):
        expect(ask(gateway, "find")["reason"], NO_SERVICE, "description")
    with Device(gateway, answers=lambda *_: away):
        expect(ask(gateway, "add", "tcp", "80", "80", "60")["reason"], MALFORMED, "action")
    expect(victim.requests, [], "requests to the other host")


@case("100 MB of XML cost the memory of one answer, and end at once")
def endless_xml(opened):
    gateway, = addresses(1)
    with Device(gateway, description_answer=flood):
        answer = ask(gateway, "find")
        expect(answer["reason"], NO_SERVICE, "description")
        bounded(answer, 4)
    with Device(gateway, answers=flood):
        answer = ask(gateway, "add", "tcp", "80", "80", "60")
        expect(answer["reason"], MALFORMED, "action")
        bounded(answer, 4)
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n<root>"
    with Device(gateway, description_answer=huge):
        bounded(ask(gateway, "find"), 4)


@case("half a megabyte of the smallest elements stays within bounds")
def many_elements(opened):
    gateway, = addresses(1)
    body = "<r>" + "<a>b</a>" * 65000 + "</r>"
    opened.enter_context(Device(gateway, answers=lambda *_: http(body)))
    answer = ask(gateway, "list")
    expect(answer["reason"], MALFORMED, "reason")
    bounded(answer, 4)


@case("a device that drips or never answers ends with the deadline")
def slow(opened):
    gateway, = addresses(1)

    def silent(_caller, _request, *_):
        device.over.wait(20)

    for wrong in (drip, silent):
        with Device(gateway, description_answer=wrong) as device:
            answer = ask(gateway, "find", deadline_ms=1500)
            expect(answer["reason"], SILENT, "description")
            bounded(answer, 2.5)
        with Device(gateway, answers=wrong) as device:
            answer = ask(gateway, "add", "tcp", "80", "80", "60", deadline_ms=1500)
            expect(answer["reason"], SILENT, "action")
            bounded(answer, 2.5)


@case("an address that never comes does not hold up a mapping")
def slow_address(opened):
    gateway, = addresses(1)
    device = opened.enter_context(Device(gateway))
    device.answers = RIGHT | {"GetExternalIPAddress": drip}
    answer = ask(gateway, "add", "tcp", "80", "80", "60", deadline_ms=8000)
    expect(answer["reason"], NONE, "reason")
    expect(answer["address"], "0.0.0.0", "address")
    bounded(answer, 3)


@case("wrong service types are no gateway")
def wrong_types(opened):
    gateway, = addresses(1)
    for kind in ("urn:schemas-upnp-org:service:ContentDirectory:1", WAN, WAN + "x", WAN + "-1",
                 'urn:x"><evil/>', WAN + "1\r\nX: y"):
        with Device(gateway, xml=description(kind=kind), answers=RIGHT):
            expect(ask(gateway, "find", deadline_ms=3000)["reason"], NO_SERVICE, kind)


@case("ten fake devices on the network are not asked a thing")
def fakes(opened):
    gateway, *others = addresses(11)
    liars = [opened.enter_context(Device(other, answers=RIGHT)) for other in others]
    expect(ask(gateway, "find")["reason"], NO_SERVICE, "without a device of the gateway")
    opened.enter_context(Device(gateway, answers=RIGHT))
    found = ask(gateway, "find")
    expect(found["reason"], NONE, "reason")
    expect_in(f"http://{gateway}:", found["hint"], "hint")
    expect([liar.requests for liar in liars], [[]] * 10, "requests to the others")
    if not any(liar.searches for liar in liars):
        raise AssertionError("the fakes heard nothing: this tested nothing")


@case("a gateway with many descriptions has four of them read")
def many_places(opened):
    gateway, = addresses(1)

    class Many(Device):
        def search_answer(self):
            self.location = f"http://{gateway}:{self.port}/{len(self.requests)}-{time.monotonic()}"
            return super().search_answer()

        def hear(self, listener):
            for _ in range(20):
                super().hear(listener)

    device = opened.enter_context(Many(gateway, xml="<root/>"))
    expect(ask(gateway, "find", deadline_ms=3000)["reason"], NO_SERVICE, "reason")
    if not 1 <= len(device.requests) <= 4:
        raise AssertionError(f"{len(device.requests)} descriptions were read")


@case("a port in use is left alone: another is taken, or the answer is no")
def taken(opened):
    gateway, = addresses(1)
    theirs = reply("GetSpecificPortMappingEntry",
                   "<NewInternalPort>22</NewInternalPort>"
                   "<NewInternalClient>127.0.0.1</NewInternalClient>")
    device = opened.enter_context(Device(gateway))
    device.answers = RIGHT | {"GetSpecificPortMappingEntry": theirs}
    made = ask(gateway, "add", "tcp", "80", "8080", "60")
    expect(made["reason"], NONE, "reason")
    if made["port"] in (0, 8080):
        raise AssertionError(f"port {made['port']}")
    device.requests.clear()
    expect(ask(gateway, "add", "tcp", "80", "8080", "60", "exact")["reason"], OTHER_PORT, "exact")
    expect([a for a in device.actions() if a.startswith("Add")], [], "mappings made")


@case("conflicts without end are given up after a few ports")
def conflicts(opened):
    gateway, = addresses(1)
    device = opened.enter_context(Device(gateway))
    device.answers = RIGHT | {"AddPortMapping": fault(718)}
    answer = ask(gateway, "add", "tcp", "80", "8080", "60")
    expect((answer["reason"], answer["error"]), (RESOURCES, 718), "reason")
    expect(device.actions().count("AddPortMapping"), 6, "tries")


@case("errors of UPnP have the meaning they have in PCP")
def errors(opened):
    gateway, = addresses(1)
    device = opened.enter_context(Device(gateway))
    for code, reason in ((606, REFUSED), (728, RESOURCES), (402, REFUSED), (999, REFUSED)):
        device.answers = RIGHT | {"AddPortMapping": fault(code)}
        answer = ask(gateway, "add", "tcp", "80", "8080", "60")
        expect((answer["reason"], answer["error"]), (reason, code), "reason")


@case("a gateway that knows endless leases alone is told one, and we say so")
def permanent(opened):
    gateway, = addresses(1)

    def add(_caller, request, action):
        if action == "AddPortMapping" and value_of(request, "NewLeaseDuration") != "0":
            return fault(725)
        return RIGHT[action]

    opened.enter_context(Device(gateway, answers=add))
    answer = ask(gateway, "add", "tcp", "80", "8080", "60")
    expect(answer["reason"], NONE, "reason")
    expect(answer["lifetime"], 2**32 - 1, "lifetime")


@case("a gateway that says version 2 but knows version 1 is served")
def not_quite_two(opened):
    gateway, = addresses(1)
    device = opened.enter_context(Device(gateway, xml=description(kind=WAN + "2"), answers=RIGHT))
    answer = ask(gateway, "add", "tcp", "80", "0", "60")
    expect((answer["reason"], answer["port"]), (NONE, 80), "reason")
    expect_in("AddAnyPortMapping", device.actions(), "actions")


@case("only a mapping of ours is deleted")
def deletes_ours(opened):
    gateway, = addresses(1)
    device = opened.enter_context(Device(gateway))
    for port, client, deleted in ((80, "127.0.0.1", True), (81, "127.0.0.1", False),
                                  (80, "192.168.1.9", False), (-80, "127.0.0.1", False)):
        device.requests.clear()
        device.answers = RIGHT | {"GetSpecificPortMappingEntry": reply(
            "GetSpecificPortMappingEntry", f"<NewInternalPort>{port}</NewInternalPort>"
            f"<NewInternalClient>{client}</NewInternalClient>")}
        expect(ask(gateway, "delete", "tcp", "80", "8080")["reason"], NONE, "reason")
        expect("DeletePortMapping" in device.actions(), deleted, f"{client}:{port}")


ENTRY = ("<NewRemoteHost></NewRemoteHost><NewExternalPort>{0}</NewExternalPort>"
         "<NewProtocol>TCP</NewProtocol><NewInternalPort>{1}</NewInternalPort>"
         "<NewInternalClient>192.168.1.9</NewInternalClient><NewEnabled>1</NewEnabled>"
         "<NewPortMappingDescription>{2}</NewPortMappingDescription>"
         "<NewLeaseDuration>0</NewLeaseDuration>")


def lister(entries):
    def answer(_caller, request, action):
        if action != "GetGenericPortMappingEntry":
            return RIGHT.get(action, fault(401))
        index = int(value_of(request, "NewPortMappingIndex"))
        return reply(action, entries[index]) if index < len(entries) else fault(713)
    return answer


@case("a list leaves out what makes no sense: negative ports, names that a terminal obeys")
def wrong_entries(opened):
    gateway, = addresses(1)
    entries = [ENTRY.format(80, 8080, "web"), ENTRY.format(-80, 8080, "negative"),
               ENTRY.format(80000, 1, "big"), ENTRY.format(81, 0, "zero"),
               ENTRY.format(82, 82, "a &lt;b&gt; \x1b[31m&amp; c"),
               ENTRY.format(83, 83, "<unescaped> & <b>text</b>"), "<NewProtocol>TCP"]
    opened.enter_context(Device(gateway, answers=lister(entries)))
    answer = ask(gateway, "list")
    expect(answer["reason"], NONE, "reason")
    expect(answer["entry"][0], "tcp 80 192.168.1.9:8080 0 1 web", "first")
    expect(answer["entry"][1], "tcp 82 192.168.1.9:82 0 1 a <b> [31m& c", "second")
    expect(len(answer["entry"]) <= 3, True, "entries")
    expect(answer["dropped"] >= 4, True, "dropped")


@case("a list without end is cut at the deadline, and says so")
def endless_list(opened):
    gateway, = addresses(1)

    def answer(_caller, request, action):
        if action != "GetGenericPortMappingEntry":
            return RIGHT.get(action, fault(401))
        index = int(value_of(request, "NewPortMappingIndex"))
        return reply(action, ENTRY.format(index % 60000 + 1, 1, "x"))

    opened.enter_context(Device(gateway, answers=answer))
    answer = ask(gateway, "list", deadline_ms=1500)
    expect(answer["reason"], NONE, "reason")
    expect(answer["cut"], 1, "cut")
    if not 1 <= answer["entries"] <= 4096:
        raise AssertionError(f"{answer['entries']} entries")
    bounded(answer, 2.5)


@case("version 2 lists all in one answer, and a thousand and one in two")
def list_of_many(opened):
    gateway, = addresses(1)

    def entry(port):
        return (f"<p:PortMappingEntry><p:NewExternalPort>{port}</p:NewExternalPort>"
                "<p:NewProtocol>TCP</p:NewProtocol><p:NewInternalPort>5</p:NewInternalPort>"
                "<p:NewInternalClient>192.168.1.9</p:NewInternalClient></p:PortMappingEntry>")

    def answer(_caller, request, action):
        if action != "GetListOfPortMappings":
            return RIGHT.get(action, fault(401))
        first = int(value_of(request, "NewStartPort"))
        ports = [p for p in range(1, 1002) if p >= first][:1000]
        if value_of(request, "NewProtocol") == "UDP" or not ports:
            return fault(730)
        return reply(action, "<NewPortListing><![CDATA[<p:PortMappingList>" +
                     "".join(entry(p) for p in ports) + "</p:PortMappingList>]]></NewPortListing>")

    device = opened.enter_context(Device(gateway, xml=description(kind=WAN + "2"), answers=answer))
    answer = ask(gateway, "list")
    expect(answer["reason"], NONE, "reason")
    expect(answer["entries"], 1001, "entries")
    expect(device.actions().count("GetListOfPortMappings"), 3, "requests")


@case("on IPv6 a pinhole is opened, renewed and closed, by the number the gateway gave")
def pinholes(opened):
    device = opened.enter_context(Device("::1", search=False))
    device.answers = {"AddPinhole": reply("AddPinhole", "<UniqueID>4711</UniqueID>"),
                      "DeletePinhole": reply("DeletePinhole")}
    hint = ("- - urn:schemas-upnp-org:service:WANIPv6FirewallControl:1 "
            f"http://[::1]:{device.port}/ctl")
    made = ask("::1", "add", "udp", "80", "0", "600", hint=hint, source="::1")
    expect((made["reason"], made["port"], made["lifetime"], made["address"]),
           (NONE, 80, 600, "::1"), "pinhole")
    request = device.requests[-1]
    expect([value_of(request, name) for name in ("InternalClient", "InternalPort", "Protocol",
                                                 "LeaseTime", "RemoteHost", "RemotePort")],
           ["::1", "80", "17", "600", "", "0"], "arguments")
    device.requests.clear()
    gone = ask("::1", "delete", "udp", "80", "0", hint=hint, source="::1")
    expect(gone["reason"], NONE, "reason")
    expect(device.actions(), ["AddPinhole", "DeletePinhole"], "actions")
    expect(value_of(device.requests[-1], "UniqueID"), "4711", "number")
    device.answers["AddPinhole"] = fault(606)
    refused = ask("::1", "add", "udp", "80", "0", "600", hint=hint, source="::1")
    expect((refused["reason"], refused["error"]), (REFUSED, 606), "reason")


@case("a closed port ends an impatient search soon, and nobody at all a patient one in time")
def nobody(opened):
    gateway, = addresses(1)
    answer = ask(gateway, "find")
    expect(answer["reason"], NO_SERVICE, "reason")
    expect(answer["presence"], 2, "absent")
    bounded(answer, 3)
    hasty = ask(gateway, "find", "hasty")
    expect(hasty["reason"], NO_SERVICE, "reason")
    if hasty["seconds"] > answer["seconds"] - 1:
        raise AssertionError(f"took {hasty['seconds']} s")


run()
