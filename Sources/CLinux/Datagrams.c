// UDP over IPv4: sendmmsg, recvmmsg, IP_PKTINFO and the ICMP error queue; see CLinux.h.

#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

// Room for one IP_PKTINFO message, aligned as the CMSG macros need it.
typedef union {
  struct cmsghdr header;
  uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
} PacketInfoControl;

static int or_errno(int result) { return result < 0 ? -errno : result; }

static struct sockaddr_in socket_address(uint32_t address, uint16_t port) {
  struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(address)}};
  return result;
}

static int set_option(int descriptor, int level, int option, int value) {
  return or_errno(setsockopt(descriptor, level, option, &value, sizeof value));
}

int clinux_udp_create(void) { return or_errno(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

int clinux_udp_bind(int descriptor, uint32_t address, uint16_t port) {
  struct sockaddr_in name = socket_address(address, port);
  return or_errno(bind(descriptor, (struct sockaddr *)&name, sizeof name));
}

int clinux_udp_port(int descriptor) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  if (getsockname(descriptor, (struct sockaddr *)&name, &length) < 0) return -errno;
  return ntohs(name.sin_port);
}

int clinux_udp_buffers(int descriptor, int receive_bytes, int send_bytes) {
  int result = 0;
  if (receive_bytes > 0) result = set_option(descriptor, SOL_SOCKET, SO_RCVBUF, receive_bytes);
  if (result == 0 && send_bytes > 0) result = set_option(descriptor, SOL_SOCKET, SO_SNDBUF, send_bytes);
  return result;
}

int clinux_udp_packet_info(int descriptor, int on) { return set_option(descriptor, IPPROTO_IP, IP_PKTINFO, on); }

int clinux_udp_keep_errors(int descriptor, int on) { return set_option(descriptor, IPPROTO_IP, IP_RECVERR, on); }

int clinux_udp_hops(int descriptor, int hops) { return set_option(descriptor, IPPROTO_IP, IP_TTL, hops); }

int clinux_udp_multicast(int descriptor, uint32_t interface_address, int hops) {
  struct in_addr interface = {.s_addr = htonl(interface_address)};
  int result = or_errno(setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface));
  return result < 0 ? result : set_option(descriptor, IPPROTO_IP, IP_MULTICAST_TTL, hops);
}

int clinux_udp_next_error(int descriptor, uint32_t *address, uint16_t *port, int32_t *error) {
  struct sockaddr_in peer = {0};
  uint8_t payload[1];
  union {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in)) + 128];
  } control;
  struct iovec vector = {.iov_base = payload, .iov_len = sizeof payload};
  struct msghdr message = {.msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &vector, .msg_iovlen = 1,
                           .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t got;
  do got = recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN ? 0 : -errno;
  *address = ntohl(peer.sin_addr.s_addr);
  *port = ntohs(peer.sin_port);
  *error = 0;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != IPPROTO_IP || part->cmsg_type != IP_RECVERR) continue;
    struct sock_extended_err report;
    memcpy(&report, CMSG_DATA(part), sizeof report);
    *error = (int32_t)report.ee_errno;
  }
  return 1;
}

static void set_source(struct msghdr *header, PacketInfoControl *control, uint32_t local_address) {
  memset(control, 0, sizeof *control);
  header->msg_control = control;
  header->msg_controllen = sizeof control->bytes;
  struct cmsghdr *part = CMSG_FIRSTHDR(header);
  part->cmsg_level = IPPROTO_IP;
  part->cmsg_type = IP_PKTINFO;
  part->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
  struct in_pktinfo info = {.ipi_spec_dst = {.s_addr = htonl(local_address)}};
  memcpy(CMSG_DATA(part), &info, sizeof info);
}

int clinux_udp_send(int descriptor, const CLinuxDatagram *datagrams, int count) {
  struct mmsghdr headers[CLINUX_DATAGRAMS_MAX];
  struct iovec vectors[CLINUX_DATAGRAMS_MAX];
  struct sockaddr_in peers[CLINUX_DATAGRAMS_MAX];
  PacketInfoControl controls[CLINUX_DATAGRAMS_MAX];
  if (count > CLINUX_DATAGRAMS_MAX) count = CLINUX_DATAGRAMS_MAX;
  if (count <= 0) return 0;
  memset(headers, 0, sizeof headers[0] * (size_t)count);
  for (int i = 0; i < count; i++) {
    peers[i] = socket_address(datagrams[i].address, datagrams[i].port);
    vectors[i].iov_base = datagrams[i].bytes;
    vectors[i].iov_len = datagrams[i].length;
    headers[i].msg_hdr.msg_name = &peers[i];
    headers[i].msg_hdr.msg_namelen = sizeof peers[i];
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    if (datagrams[i].local_address != 0) set_source(&headers[i].msg_hdr, &controls[i], datagrams[i].local_address);
  }
  int sent;
  do sent = sendmmsg(descriptor, headers, (unsigned)count, MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return or_errno(sent);
}

static uint32_t destination(struct msghdr *header) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != IPPROTO_IP || part->cmsg_type != IP_PKTINFO) continue;
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(part), sizeof info);
    return ntohl(info.ipi_addr.s_addr);
  }
  return 0;
}

int clinux_udp_receive(int descriptor, CLinuxDatagram *datagrams, int count) {
  struct mmsghdr headers[CLINUX_DATAGRAMS_MAX];
  struct iovec vectors[CLINUX_DATAGRAMS_MAX];
  struct sockaddr_in peers[CLINUX_DATAGRAMS_MAX];
  PacketInfoControl controls[CLINUX_DATAGRAMS_MAX];
  if (count > CLINUX_DATAGRAMS_MAX) count = CLINUX_DATAGRAMS_MAX;
  if (count <= 0) return 0;
  memset(headers, 0, sizeof headers[0] * (size_t)count);
  for (int i = 0; i < count; i++) {
    vectors[i].iov_base = datagrams[i].bytes;
    vectors[i].iov_len = datagrams[i].capacity;
    headers[i].msg_hdr.msg_name = &peers[i];
    headers[i].msg_hdr.msg_namelen = sizeof peers[i];
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_control = &controls[i];
    headers[i].msg_hdr.msg_controllen = sizeof controls[i].bytes;
  }
  int got;
  do got = recvmmsg(descriptor, headers, (unsigned)count, MSG_DONTWAIT, NULL);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN ? 0 : -errno;
  for (int i = 0; i < got; i++) {
    datagrams[i].length = headers[i].msg_len;
    datagrams[i].address = ntohl(peers[i].sin_addr.s_addr);
    datagrams[i].port = ntohs(peers[i].sin_port);
    datagrams[i].local_address = destination(&headers[i].msg_hdr);
    datagrams[i].truncated = (headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
  }
  return got;
}
