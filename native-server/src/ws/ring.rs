#![allow(unsafe_code)]
//! Sends to many sockets by one system call (io_uring).

use std::cell::RefCell;
use std::io;
use std::os::fd::AsRawFd;

use io_uring::types::Fd;
use io_uring::{IoUring, opcode};
use smallvec::SmallVec;
use socket2::SockRef;

use super::together::AT_ONCE;

thread_local! {
    static RING: RefCell<Option<Option<IoUring>>> = const { RefCell::new(None) };
}

/// MSG_DONTWAIT: a send that finds no room fails at once, so none outlives the call.
const FLAGS: i32 = 0x40 | 0x4000;

/// False when there is no ring: nothing was sent.
pub(super) fn send_all(
    outlets: &[(SockRef<'_>, &[u8])],
    sent: &mut SmallVec<[io::Result<usize>; AT_ONCE]>,
) -> bool {
    RING.with_borrow_mut(|place| {
        let ring = place.get_or_insert_with(|| {
            if std::env::var_os("FAN").is_some_and(|v| v == "loop") {
                return None;
            }
            let made = IoUring::builder().setup_single_issuer().setup_coop_taskrun().build(AT_ONCE as u32);
            if let Err(error) = &made { eprintln!("no ring: {error}"); }
            made.ok()
        });
        let Some(ring) = ring else { return false };
        for (idx, (socket, bytes)) in outlets.iter().enumerate() {
            let entry = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), bytes.len() as u32);
            let entry = entry.flags(FLAGS).build().user_data(idx as u64);
            // SAFETY: the bytes outlive the call below, which returns when all is done.
            unsafe { ring.submission().push(&entry) }.expect("as many entries as outlets");
        }
        ring.submit_and_wait(outlets.len()).expect("it was submitted");
        sent.extend((0..outlets.len()).map(|_| Ok(0)));
        for done in ring.completion() {
            let result = done.result();
            sent[done.user_data() as usize] =
                usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result));
        }
        true
    })
}
