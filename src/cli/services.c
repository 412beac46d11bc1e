/* SPDX-License-Identifier: MIT */
#include "cli/services.h"

#include "base/attributes.h"

#include <string.h>

#define PORTS 4
#define PROGRAMS 5

static const char login[] = "Passwords are tried on it day and night: let it take keys alone, or "
			    "reach it over a VPN.";
static const char local[] = "It is made for a network of friends: reach it over a VPN instead.";
static const char data[] = "Nobody but your own programs should reach it: bind it to 127.0.0.1.";
static const char admin[] = "Whoever gets in owns the machine: reach it over a VPN or SSH instead.";
static const char plain[] = "It sends passwords in the clear: use SSH instead.";

static const struct row {
	struct service service;
	enum tenf_protocol protocol; /* TENF_BOTH: either */
	uint16_t ports[PORTS];
	const char *programs[PROGRAMS];
} rows[] = {
	{ { "Telnet", SEVERITY_HIGH, plain }, TENF_TCP, { 23 }, { "telnetd", "in.telnetd" } },
	{ { "FTP", SEVERITY_MEDIUM, plain }, TENF_TCP, { 21 },
	  { "vsftpd", "proftpd", "pure-ftpd" } },
	{ { "SSH", SEVERITY_MEDIUM, login }, TENF_TCP, { 22 }, { "sshd", "dropbear" } },
	{ { "Windows file sharing (SMB)", SEVERITY_HIGH, local }, TENF_BOTH,
	  { 445, 139, 137, 138 }, { "smbd", "nmbd" } },
	{ { "NFS", SEVERITY_HIGH, local }, TENF_BOTH, { 2049, 111 }, { "rpcbind", "rpc.mountd" } },
	{ { "remote desktop (RDP)", SEVERITY_HIGH, login }, TENF_BOTH, { 3389 },
	  { "xrdp", "gnome-remote-de" } },
	{ { "remote desktop (VNC)", SEVERITY_HIGH, login }, TENF_TCP, { 5900, 5901, 5902 },
	  { "x11vnc", "Xvnc", "Xtigervnc", "wayvnc", "krfb" } },
	{ { "a database (PostgreSQL)", SEVERITY_HIGH, data }, TENF_TCP, { 5432 },
	  { "postgres", "postmaster" } },
	{ { "a database (MySQL)", SEVERITY_HIGH, data }, TENF_TCP, { 3306, 33060 },
	  { "mysqld", "mariadbd" } },
	{ { "a database (Redis)", SEVERITY_HIGH, data }, TENF_TCP, { 6379 },
	  { "redis-server", "valkey-server" } },
	{ { "a database (MongoDB)", SEVERITY_HIGH, data }, TENF_TCP, { 27017 }, { "mongod" } },
	{ { "a database (Elasticsearch)", SEVERITY_HIGH, data }, TENF_TCP, { 9200, 9300 },
	  { NULL } },
	{ { "a cache (memcached)", SEVERITY_HIGH, data }, TENF_BOTH, { 11211 }, { "memcached" } },
	{ { "a database (SQL Server)", SEVERITY_HIGH, data }, TENF_BOTH, { 1433, 1434 },
	  { "sqlservr" } },
	{ { "Docker's control port", SEVERITY_HIGH, admin }, TENF_TCP, { 2375, 2376 },
	  { "dockerd" } },
	{ { "Kubernetes", SEVERITY_HIGH, admin }, TENF_TCP, { 6443, 10250 },
	  { "kubelet", "kube-apiserver", "k3s-server" } },
	{ { "an administration page (Webmin)", SEVERITY_HIGH, admin }, TENF_TCP, { 10000 },
	  { NULL } },
	{ { "an administration page (Cockpit)", SEVERITY_HIGH, admin }, TENF_TCP, { 9090 },
	  { "cockpit-ws", "cockpit-tls" } },
	{ { "an administration page (Proxmox)", SEVERITY_HIGH, admin }, TENF_TCP, { 8006 },
	  { "pveproxy" } },
	{ { "an administration page (NAS)", SEVERITY_MEDIUM, admin }, TENF_TCP, { 5000, 5001 },
	  { NULL } },
	{ { "printing (CUPS)", SEVERITY_HIGH, local }, TENF_BOTH, { 631, 9100 },
	  { "cupsd", "cups-browsed" } },
	{ { "management of network devices (SNMP)", SEVERITY_HIGH, admin }, TENF_UDP, { 161 },
	  { "snmpd" } },
	{ { "a name server", SEVERITY_MEDIUM, "Strangers use open ones to attack others: let it "
	    "answer your own network alone." }, TENF_BOTH, { 53 },
	  { "dnsmasq", "named", "unbound", "pihole-FTL" } },
	{ { "a camera's stream (RTSP)", SEVERITY_MEDIUM, local }, TENF_TCP, { 554, 8554 },
	  { NULL } },
	{ { "the X Window System", SEVERITY_HIGH, local }, TENF_TCP, { 6000 }, { "Xorg" } },
};

static bool is_of(const struct row *row, enum tenf_protocol protocol)
{
	return row->protocol == TENF_BOTH || row->protocol == protocol;
}

static bool is_program(const struct row *row, enum tenf_protocol protocol, const char *program)
{
	if (!is_of(row, protocol) || program[0] == '\0')
		return false;
	for (size_t i = 0; i < PROGRAMS && row->programs[i] != NULL; i++) {
		if (strcmp(row->programs[i], program) == 0)
			return true;
	}
	return false;
}

static bool is_port(const struct row *row, enum tenf_protocol protocol, uint16_t port)
{
	if (!is_of(row, protocol))
		return false;
	for (size_t i = 0; i < PORTS && row->ports[i] != 0; i++) {
		if (row->ports[i] == port)
			return true;
	}
	return false;
}

const struct service *service_find(const char *program, enum tenf_protocol protocol,
				   uint16_t port)
{
	const struct service *by_port = NULL;

	for (size_t i = 0; i < TENF_ARRAY_SIZE(rows); i++) {
		if (is_program(&rows[i], protocol, program))
			return &rows[i].service;
		if (by_port == NULL && is_port(&rows[i], protocol, port))
			by_port = &rows[i].service;
	}
	/* Another program on the port of a service is most often that service. */
	return by_port;
}

const char *severity_code(enum severity severity)
{
	switch (severity) {
	case SEVERITY_INFO:
		return "info";
	case SEVERITY_LOW:
		return "low";
	case SEVERITY_MEDIUM:
		return "medium";
	case SEVERITY_HIGH:
		return "high";
	}
	return "info";
}

bool severity_parse(const char *text, enum severity *ret)
{
	for (enum severity s = SEVERITY_INFO; s <= SEVERITY_HIGH; s++) {
		if (strcmp(text, severity_code(s)) == 0) {
			*ret = s;
			return true;
		}
	}
	return false;
}
