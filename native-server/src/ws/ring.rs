//! Sends to many sockets by one system call: io_uring, where the kernel has it and allows it. Containers often do not.

use socket2::SockRef;

/// A socket, and what it is to send.
pub(super) type Outlet<'a> = (SockRef<'a>, &'a [u8]);

/// Outlets of one call: some 0.4 ms.
pub(crate) const AT_ONCE: usize = 64;

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
pub(super) use self::linux::Ring;
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
pub(super) use self::other::Ring;

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
#[expect(unsafe_code, reason = "the kernel is given addresses; see `submit`")]
mod linux {
    use std::os::fd::AsRawFd;
    use std::{io, mem};

    use io_uring::types::Fd;
    use io_uring::{IoUring, Probe, opcode};

    use super::{AT_ONCE, Outlet};

    /// `MSG_DONTWAIT | MSG_NOSIGNAL`, the same on all of Linux.
    const FLAGS: i32 = 0x40 | 0x4000;

    /// The ring of one thread, or why there is none; nothing is on its way in it between calls.
    pub(in super::super) struct Ring(Result<IoUring, &'static str>);

    impl Ring {
        /// A ring, if there can be one.
        pub(in super::super) fn new() -> Self {
            if std::env::var_os("ANTIPHON_IO_URING").is_some_and(|value| value == "off") {
                return Self(Err("ANTIPHON_IO_URING is off"));
            }
            Self(open().map_err(|_| "the kernel has or allows no io_uring that sends"))
        }

        /// Why there is no ring.
        pub(in super::super) fn obstacle(&self) -> Option<&'static str> {
            self.0.as_ref().err().copied()
        }

        /// Sends what there is room for: `sent` gets the number of bytes of each outlet. It stays 0 where nothing could
        /// be sent; who tries the rest is told that it fails.
        pub(in super::super) fn send_all(&mut self, outlets: &[Outlet<'_>], sent: &mut [usize]) {
            assert!(outlets.len() <= AT_ONCE && outlets.len() == sent.len());
            // However this ends, a ring that may still hold addresses is never used again.
            let Ok(mut ring) = mem::replace(&mut self.0, Err("it failed")) else { return };
            match submit(&mut ring, outlets, sent) {
                Ok(()) => self.0 = Ok(ring),
                Err(error) => {
                    tracing::warn!(
                        "a thread writes to each client by itself from now on: io_uring failed ({error})"
                    );
                }
            }
        }
    }

    fn open() -> io::Result<IoUring> {
        let ring = IoUring::new(AT_ONCE as u32)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        // There were rings before they could send.
        if probe.is_supported(opcode::Send::CODE) { Ok(ring) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    fn submit(ring: &mut IoUring, outlets: &[Outlet<'_>], sent: &mut [usize]) -> io::Result<()> {
        for (idx, (socket, bytes)) in outlets.iter().enumerate() {
            let send = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), bytes.len() as u32);
            let send = send.flags(FLAGS).build().user_data(idx as u64);
            // SAFETY: socket and bytes are borrowed until this function returns. It returns when every send is done.
            // Else, by an error or a panic, the ring is dropped together with what the kernel has not taken. What it
            // has taken is done at once, since nothing that must not wait is kept for later.
            unsafe { ring.submission().push(&send) }.map_err(io::Error::other)?;
        }
        let mut n_left = outlets.len();
        while n_left > 0 {
            match ring.submit_and_wait(n_left) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for done in ring.completion() {
                sent[done.user_data() as usize] = usize::try_from(done.result()).unwrap_or(0);
                n_left -= 1;
            }
        }
        Ok(())
    }
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
)))]
mod other {
    use super::Outlet;

    pub(in super::super) struct Ring;

    impl Ring {
        pub(in super::super) fn new() -> Self {
            Self
        }

        pub(in super::super) fn obstacle(&self) -> Option<&'static str> {
            Some("there is no io_uring for this system")
        }

        pub(in super::super) fn send_all(&mut self, _: &[Outlet<'_>], _: &mut [usize]) {}
    }
}

#[cfg(all(
    test,
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
))]
mod tests {
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    /// Both ends of connections; the first never wait.
    fn pairs<const N: usize>() -> [(TcpStream, TcpStream); N] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        std::array::from_fn(|_| {
            let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            ours.set_nonblocking(true).unwrap();
            (ours, listener.accept().unwrap().0)
        })
    }

    #[test]
    fn each_gets_its_own_bytes_and_who_has_no_room_or_is_gone_holds_up_nobody() {
        let mut ring = Ring::new();
        if let Some(why) = ring.obstacle() {
            return eprintln!("not tried: {why}");
        }
        let [mut plain, gone, mut full] = pairs();
        drop(gone.1);
        SockRef::from(&full.0).set_send_buffer_size(4096).unwrap();
        let much: Vec<u8> = (0..8 << 20).map(|n: u32| (n % 251) as u8).collect();
        let (mut rest, mut n_calls) = (&much[..], 0);
        loop {
            let outlets = [&plain.0, &gone.0, &full.0].map(SockRef::from).into_iter().zip([
                &b"plain"[..],
                b"gone",
                rest,
            ]);
            let mut sent = [0; 3];
            ring.send_all(&outlets.collect::<Vec<_>>(), &mut sent);
            assert_eq!(ring.obstacle(), None);
            (rest, n_calls) = (&rest[sent[2]..], n_calls + 1);
            assert_eq!(sent[0], 5);
            if sent[2] == 0 {
                break;
            }
        }
        assert!(!rest.is_empty() && rest.len() < much.len(), "a part was taken");
        let mut all = vec![0; 5 * n_calls];
        plain.1.read_exact(&mut all).unwrap();
        assert_eq!(all, b"plain".repeat(n_calls));
        let mut taken = vec![0; much.len() - rest.len()];
        full.1.read_exact(&mut taken).unwrap();
        assert!(taken == much[..taken.len()]);
    }
}
