//! What more of something costs: shares of a core, for plots.

use crate::compare::{Case, Goal, Table};
use crate::server::client::Clients;
use crate::server::measure;
use crate::server::process::{Server, Who, pin_clients};

pub fn run(table: &mut Table) {
    pin_clients();
    for n in [10, 100, 1_000, 10_000] {
        share(table, &format!("{n} clients × 10 Hz × 1 KiB"), n, "fps=10&channels=1&bands=992");
    }
    for fft_size in [256, 1_024, 4_096, 16_384, 32_768] {
        share(
            table,
            &format!("a spectrum of {fft_size} at 60 Hz"),
            1,
            &format!("fps=60&fft_size={fft_size}"),
        );
    }
}

fn share(table: &mut Table, name: &str, n_clients: usize, query: &str) {
    let once = || {
        let server = Server::start(Who::Ours);
        let mut clients = Clients::new();
        let path = format!("/api/ws/spectrum?{query}");
        clients.connect(n_clients, server.address, &path, &[]);
        let (counts, seconds) = measure(&server, &mut clients);
        assert!(counts.messages > 0, "something came");
        100.0 * seconds / crate::server::MEASURE.as_secs_f64()
    };
    let case = Case { name, peer: "", goal: Goal::None, note: "" };
    table.value(&case, "% of a core", (0..3).map(|_| once()).collect());
}
