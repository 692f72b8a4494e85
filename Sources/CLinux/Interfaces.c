// The addresses of this machine's interfaces: getifaddrs(3); see CLinux.h.

#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static uint32_t host_order(const struct sockaddr *address) {
  return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr);
}

static uint32_t shown_flags(unsigned int flags) {
  return (flags & IFF_LOOPBACK ? CLINUX_INTERFACE_LOOPBACK : 0) |
         (flags & IFF_POINTOPOINT ? CLINUX_INTERFACE_POINT_TO_POINT : 0) |
         (flags & IFF_MULTICAST ? CLINUX_INTERFACE_MULTICAST : 0);
}

int clinux_interfaces(CLinuxInterface *interfaces, int capacity) {
  struct ifaddrs *all;
  if (getifaddrs(&all) < 0) return -errno;
  int count = 0;
  for (struct ifaddrs *one = all; one && count < capacity; one = one->ifa_next) {
    if (!one->ifa_addr || !one->ifa_netmask || one->ifa_addr->sa_family != AF_INET || !(one->ifa_flags & IFF_UP)) continue;
    CLinuxInterface *found = &interfaces[count++];
    memset(found, 0, sizeof *found);
    strncpy(found->name, one->ifa_name, sizeof found->name - 1);
    found->address = host_order(one->ifa_addr);
    found->mask = host_order(one->ifa_netmask);
    found->flags = shown_flags(one->ifa_flags);
  }
  freeifaddrs(all);
  return count;
}
