/* loop: reads a capture file by pcap_dispatch and does nothing with it: what everything else is measured against. */
#include <pcap/pcap.h>
#include <stdio.h>

static void nothing(u_char *user, const struct pcap_pkthdr *header, const u_char *octets)
{
	(void)user;
	(void)header;
	(void)octets;
}

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
	int count;

	if (p == NULL) {
		fprintf(stderr, "loop FILE\n");
		return 2;
	}
	count = pcap_dispatch(p, -1, nothing, NULL);
	pcap_close(p);
	return count <= 0;
}
