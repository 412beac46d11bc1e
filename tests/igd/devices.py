# SPDX-License-Identifier: MIT
"""UPnP devices on loopback addresses of their own, right and wrong ones.

A device answers searches on port 1900 of its address and requests on a TCP port;
how it is wrong is a function of the case's. Everything it was asked is kept."""
import os
import re
import socket
import struct
import threading
import time

WAN = "urn:schemas-upnp-org:service:WANIPConnection:"
GROUP = "239.255.255.250"


def addresses(count):
    """Loopback addresses that no other run of the tests uses at the same time."""
    pid = os.getpid()
    return [f"127.{100 + number}.{pid >> 8 & 255}.{pid & 255}" for number in range(count)]


def description(kind=WAN + "1", control="/ctl", extra=""):
    return (f'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">{extra}'
            "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>"
            f"<serviceList><service><serviceType>{kind}</serviceType><serviceId>x</serviceId>"
            f"<controlURL>{control}</controlURL><eventSubURL>/e</eventSubURL>"
            "<SCPDURL>/s</SCPDURL></service></serviceList></device></root>")


def http(body, status="200 OK", headers=""):
    body = body.encode() if isinstance(body, str) else body
    return (f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)


def reply(action, values=""):
    return http("<s:Envelope><s:Body>"
                f'<u:{action}Response xmlns:u="x">{values}</u:{action}Response>'
                "</s:Body></s:Envelope>")


def fault(code):
    return http("<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>"
                f"{code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>",
                "500 Internal Server Error")


class Device:
    """`answers` maps actions to answers (octets), or is a function of the request
    that returns them, or takes the connection over and returns None."""

    def __init__(self, address, xml=None, answers=None, location=None, search=True,
                 description_answer=None):
        self.address = address
        self.xml = xml if xml is not None else description()
        self.answers = answers or {}
        self.description_answer = description_answer
        self.requests = []
        self.searches = 0
        self.over = threading.Event()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.tcp = socket.create_server((address, 0), family=family)
        self.port = self.tcp.getsockname()[1]
        self.location = location or f"http://{address}:{self.port}/rootDesc.xml"
        self.udp = []
        if search:
            self.udp = [self.listen(address), self.listen(GROUP)]
        self.threads = [threading.Thread(target=self.serve, daemon=True)]
        self.threads += [threading.Thread(target=self.hear, args=(s,), daemon=True)
                         for s in self.udp]
        for thread in self.threads:
            thread.start()

    def listen(self, address):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, 1900))
        if address == GROUP:
            where = struct.pack("4s4si", socket.inet_aton(GROUP), socket.inet_aton("0.0.0.0"),
                                socket.if_nametoindex("lo"))
            listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, where)
        return listener

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        for s in (self.tcp, *self.udp):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(10)
        for s in (self.tcp, *self.udp):
            s.close()

    def search_answer(self):
        return ("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:x\r\n"
                f"LOCATION: {self.location}\r\n\r\n").encode()

    def hear(self, listener):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
            mouth.bind((self.address, 0))
            while not self.over.is_set():
                said, caller = listener.recvfrom(2048)
                if not said.startswith(b"M-SEARCH"):
                    continue
                self.searches += 1
                # The group's answers leave from the device's own address.
                out = listener if listener is self.udp[0] else mouth
                out.sendto(self.search_answer(), caller)

    def serve(self):
        while not self.over.is_set():
            try:
                caller, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(caller,), daemon=True).start()

    def answer(self, caller):
        with caller:
            try:
                self.answer_request(caller, read_request(caller))
            except OSError:
                pass  # it hung up, as it should on most of us

    def answer_request(self, caller, request):
        self.requests.append(request)
        action = action_of(request)
        if action is None:
            answer = self.description_answer or http(self.xml)
        elif callable(self.answers):
            answer = self.answers
        else:
            answer = self.answers.get(action, fault(401))
        if callable(answer):
            answer = answer(caller, request) if action is None else answer(caller, request, action)
        if answer is not None:
            caller.sendall(answer)

    def actions(self):
        return [action_of(request) for request in self.requests if action_of(request)]


def read_request(caller):
    data = b""
    while b"\r\n\r\n" not in data:
        got = caller.recv(4096)
        if not got:
            return data.decode()
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += caller.recv(4096)
    return (head + b"\r\n\r\n" + body).decode()


def action_of(request):
    found = re.search(r'SOAPAction: "[^#"]+#(\w+)"', request)
    return found and found[1]


def value_of(request, name):
    found = re.search(f"<{name}>(.*?)</{name}>", request)
    return found and found[1]


def flood(caller, _request, *_):
    """100 MB of XML, without a length."""
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n<?xml version='1.0'?><root>")
    for _ in range(100):
        caller.sendall(b"<a>" + b"x" * 1000000 + b"</a>")


def drip(caller, _request, *_):
    """One octet now and then, for ever."""
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n<")
    for _ in range(600):
        caller.sendall(b"x")
        time.sleep(0.05)
