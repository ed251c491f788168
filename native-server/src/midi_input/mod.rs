//! MIDI keyboards: found as they are plugged in, and let go as they are pulled out.
//!
//! A thread looks for ports every few seconds; midir calls back from a thread of its own for each of them. Without a
//! sequencer, as in containers, there is no MIDI, which the log says once.

mod keyboard;

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use midir::{MidiInput, MidiInputConnection, MidiInputPort};

pub use self::keyboard::Keyboard;

use crate::audio::quiet_backend;

/// Our name among the system's MIDI clients.
const CLIENT: &str = "Antiphon";
/// How often ports are looked for.
const POLL: Duration = Duration::from_secs(2);

/// Which MIDI inputs play.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MidiChoice {
    /// None.
    #[default]
    Off,
    /// All that there are.
    All,
    /// Those whose name has this in it.
    Named(String),
}

impl MidiChoice {
    fn takes(&self, name: &str) -> bool {
        match self {
            Self::Off => false,
            // What the system loops back is no keyboard.
            Self::All => !name.starts_with("Midi Through"),
            Self::Named(wanted) => name.contains(wanted.as_str()),
        }
    }
}

/// Names of the MIDI inputs that there are; none where the system has no MIDI.
pub fn list() -> Vec<String> {
    quiet_backend();
    let Ok(input) = MidiInput::new(CLIENT) else { return Vec::new() };
    ports(&input).into_iter().map(|(_, name)| name).collect()
}

/// The thread that looks for keyboards; dropping it lets go of them.
pub struct MidiInputs {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    connected: Arc<Mutex<Vec<String>>>,
}

impl MidiInputs {
    /// Plays the chosen inputs, each through a keyboard of its own.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        choice: MidiChoice,
        keyboard: impl Fn() -> Keyboard + Send + 'static,
    ) -> std::io::Result<Self> {
        let connected = Arc::<Mutex<Vec<String>>>::default();
        if choice == MidiChoice::Off {
            return Ok(Self { stop: None, thread: None, connected });
        }
        let (stop, stopped) = mpsc::channel();
        let finder = Finder { choice, open: Vec::new(), connected: connected.clone() };
        let thread = thread::Builder::new()
            .name(String::from("midi-input"))
            .spawn(move || finder.run(&keyboard, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread), connected })
    }

    /// Names of the inputs that play now.
    pub fn connected(&self) -> Vec<String> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for MidiInputs {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An input that plays.
struct Open {
    id: String,
    name: String,
    connection: MidiInputConnection<Keyboard>,
}

struct Finder {
    choice: MidiChoice,
    open: Vec<Open>,
    connected: Arc<Mutex<Vec<String>>>,
}

impl Finder {
    fn run(mut self, keyboard: &dyn Fn() -> Keyboard, stopped: &mpsc::Receiver<()>) {
        quiet_backend();
        let scanner = match MidiInput::new(CLIENT) {
            Ok(scanner) => scanner,
            Err(error) => {
                tracing::info!("no MIDI keyboards: the system has no MIDI sequencer ({error})");
                return;
            }
        };
        if let MidiChoice::Named(wanted) = &self.choice
            && !ports(&scanner).iter().any(|(_, name)| self.choice.takes(name))
        {
            let known = Vec::from_iter(ports(&scanner).into_iter().map(|(_, name)| name)).join(", ");
            tracing::warn!(
                "there is no MIDI input {wanted:?} (there is: {known}); it will play when it is there"
            );
        }
        loop {
            self.scan(&scanner, keyboard);
            // The channel never carries a message: its sender is dropped to stop the thread.
            if stopped.recv_timeout(POLL) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        for Open { connection, .. } in self.open.drain(..) {
            drop(connection.close());
        }
    }

    fn scan(&mut self, scanner: &MidiInput, keyboard: &dyn Fn() -> Keyboard) {
        let found = ports(scanner);
        let (still, gone) =
            self.open.drain(..).partition(|open| found.iter().any(|(port, _)| port.id() == open.id));
        self.open = still;
        for Open { name, connection, .. } in gone {
            tracing::info!("MIDI input {name} is gone");
            // Whoever held a key has let go.
            drop(connection.close());
        }
        for (port, name) in found {
            if self.choice.takes(&name) && !self.open.iter().any(|open| open.id == port.id()) {
                match connect(&port, keyboard()) {
                    Ok(connection) => {
                        tracing::info!("MIDI input {name} plays the armed track");
                        self.open.push(Open { id: port.id(), name, connection });
                    }
                    Err(error) => tracing::warn!("MIDI input {name} cannot be opened: {error}"),
                }
            }
        }
        let names = self.open.iter().map(|open| open.name.clone()).collect();
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }
}

/// Ports of others, with their names.
fn ports(input: &MidiInput) -> Vec<(MidiInputPort, String)> {
    let named = |port: MidiInputPort| Some((port.clone(), input.port_name(&port).ok()?));
    input.ports().into_iter().filter_map(named).filter(|(_, name)| !name.starts_with(CLIENT)).collect()
}

fn connect(port: &MidiInputPort, keyboard: Keyboard) -> Result<MidiInputConnection<Keyboard>, String> {
    let input = MidiInput::new(CLIENT).map_err(|error| error.to_string())?;
    let hear = |_: u64, bytes: &[u8], keyboard: &mut Keyboard| keyboard.hear(bytes);
    input.connect(port, "keyboard", hear, keyboard).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_chosen_by_name() {
        let named = MidiChoice::Named(String::from("Keystation"));
        for (choice, name, expected) in [
            (&MidiChoice::All, "Keystation 49:Keystation 49 MIDI 1 20:0", true),
            (&MidiChoice::All, "Midi Through:Midi Through Port-0 14:0", false),
            (&named, "Keystation 49:Keystation 49 MIDI 1 20:0", true),
            (&named, "nanoKEY2 24:0", false),
            (&MidiChoice::Off, "nanoKEY2 24:0", false),
        ] {
            assert_eq!(choice.takes(name), expected, "{name}");
        }
    }
}
