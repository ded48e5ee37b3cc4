•š—ìãŸçËpcap:access.pcap(è0€ô@HR
okèR
	truncatedZ
flow_table_full€