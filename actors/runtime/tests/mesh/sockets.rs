//! The system's TCP sockets on the loopback, as Linux shows them in /proc/net/tcp.

struct Row {
    local: u16,
    remote: u16,
    state: u8,
    inode: u64,
}

const ESTABLISHED: u8 = 0x01;
const LISTENING: u8 = 0x0a;

fn rows() -> Vec<Row> {
    let port = |address: &str| u16::from_str_radix(address.split(':').nth(1).unwrap(), 16).unwrap();
    let text = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let state = u8::from_str_radix(words[3], 16).unwrap();
        Row { local: port(words[1]), remote: port(words[2]), state, inode: words[9].parse().unwrap() }
    });
    rows.collect()
}

/// How many connections to this port are open.
pub(crate) fn connections_to(port: u16) -> usize {
    rows().iter().filter(|row| row.state == ESTABLISHED && row.remote == port).count()
}

/// The ports on which a process listens.
pub(crate) fn ports_of(process: u32) -> Vec<u16> {
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    let sockets: Vec<String> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    let rows = rows().into_iter().filter(|row| row.state == LISTENING);
    rows.filter(|row| sockets.contains(&format!("socket:[{}]", row.inode))).map(|row| row.local).collect()
}
