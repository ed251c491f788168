//! A sound system of our own: PulseAudio with one output that goes nowhere, found through the environment, gone with
//! the test.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::process::Command;

use tempfile::TempDir;

use super::ready::Program;

pub struct Pulse {
    home: TempDir,
    server: Option<Program>,
}

impl Pulse {
    pub fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let alsa = "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n";
        std::fs::write(home.path().join("asound.conf"), alsa).unwrap();
        // Whoever finds it gone shall not start one of its own.
        std::fs::write(home.path().join("client.conf"), "autospawn = no\n").unwrap();
        let mut pulse = Self { home, server: None };
        pulse.resume();
        pulse
    }

    /// With which a program finds this sound system, as ALSA's device `default`.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        let home = self.home.path().display();
        [
            ("HOME", home.to_string()),
            ("XDG_RUNTIME_DIR", home.to_string()),
            ("ALSA_CONFIG_PATH", format!("{home}/asound.conf")),
            ("PULSE_CLIENTCONFIG", format!("{home}/client.conf")),
        ]
    }

    /// Starts it again, and waits until it takes connections.
    pub fn resume(&mut self) {
        self.stop();
        let mut command = Command::new("pulseaudio");
        command
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "-v", "--log-target=stderr"])
            .args(["-L", "module-native-protocol-unix"])
            .args(["-L", "module-null-sink sink_name=null rate=48000"])
            .envs(self.environment())
            .env_remove("PULSE_SERVER");
        let hint = "install it: apt-get install pulseaudio libasound2-plugins";
        let is_ready = |said: &str| said.contains("startup complete").then_some(());
        self.server = Some(Program::start(&mut command, hint, is_ready).0);
    }

    /// SIGKILL: to those who play into it, a card that is pulled out.
    pub fn stop(&mut self) {
        self.server = None;
    }
}
