#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz-igd: what right devices send.

    make_igd_corpus.py DIRECTORY STAMP"""
import os
import sys

WAN = "urn:schemas-upnp-org:service:WANIPConnection:"
DESCRIPTION = (
    '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">'
    "<URLBase>http://192.168.1.1:5000/</URLBase><device><serviceList><service>"
    f"<serviceType>{WAN}2</serviceType><controlURL>/ctl/IPConn</controlURL></service><service>"
    "<serviceType>urn:schemas-upnp-org:service:WANIPv6FirewallControl:1</serviceType>"
    "<controlURL>/ctl/IP6FCtl</controlURL></service></serviceList></device></root>")
ENTRY = (
    "<p:PortMappingEntry><p:NewRemoteHost></p:NewRemoteHost>"
    "<p:NewExternalPort>2345</p:NewExternalPort><p:NewProtocol>TCP</p:NewProtocol>"
    "<p:NewInternalPort>80</p:NewInternalPort>"
    "<p:NewInternalClient>192.168.1.9</p:NewInternalClient><p:NewEnabled>1</p:NewEnabled>"
    "<p:NewDescription>a &amp;lt; &#xfc;</p:NewDescription>"
    "<p:NewLeaseTime>345</p:NewLeaseTime></p:PortMappingEntry>")
LISTING = ("<s:Envelope><s:Body><u:GetListOfPortMappingsResponse><NewPortListing><![CDATA["
           f"<p:PortMappingList>{ENTRY}{ENTRY}</p:PortMappingList>]]></NewPortListing>"
           "</u:GetListOfPortMappingsResponse></s:Body></s:Envelope>")
FAULT = ("<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>718</errorCode>"
         "</UPnPError></detail></s:Fault></s:Body></s:Envelope>")
SEARCH = ("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n"
          "LOCATION: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n")


def chunked(text):
    return ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            f"{len(text):x}\r\n{text}\r\n0\r\n\r\n")


def seeds():
    yield "search", 0, SEARCH
    for name, body in (("description", DESCRIPTION), ("listing", LISTING), ("fault", FAULT),
                       ("entry", ENTRY)):
        yield f"{name}-body", 2, body
        yield f"{name}-length", 1, f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        yield f"{name}-chunked", 100, chunked(body)
        yield f"{name}-close", 40, f"HTTP/1.1 100 Go\r\n\r\nHTTP/1.0 500 No\r\n\r\n{body}"


def main():
    directory, stamp = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    for name, first, text in seeds():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(bytes([first]) + text.encode())
    with open(stamp, "w", encoding="ascii"):
        pass


main()
