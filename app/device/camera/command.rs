//! A camera behind a command line, for sensors that only their maker's program can read.
//!
//! The template is split at spaces and run without a shell; `{file}` becomes a path in a temporary
//! folder of our own, which is removed again with whatever the command left in it.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{Camera, CameraError, read_photo};

const FILE: &str = "{file}";

/// How often a running command is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Runs a command for each photograph.
#[derive(Debug)]
pub struct CommandCamera {
    program: String,
    arguments: Vec<String>,
    time_max: Duration,
}

impl CommandCamera {
    /// Parses a template such as `libcamera-still -o {file}`.
    ///
    /// # Errors
    /// [`CameraError::Command`] when it names no program or has no `{file}`.
    pub fn parse(template: &str, time_max: Duration) -> Result<Self, CameraError> {
        let mut words = template.split_whitespace().map(str::to_owned);
        let program = words.next().unwrap_or_default();
        let arguments: Vec<String> = words.collect();
        if program.is_empty() || !arguments.iter().any(|argument| argument.contains(FILE)) {
            let reason = "template needs a program and {file}".to_owned();
            return Err(CameraError::Command { program, reason });
        }
        Ok(Self { program, arguments, time_max })
    }

    fn failed(&self, reason: impl ToString) -> CameraError {
        CameraError::Command { program: self.program.clone(), reason: reason.to_string() }
    }

    fn run(&self, photo: &Path, messages: &Path) -> Result<(), CameraError> {
        let messages_file = std::fs::File::create(messages).map_err(|error| self.failed(error))?;
        let mut child = Command::new(&self.program)
            .args(self.arguments.iter().map(|word| word.replace(FILE, &photo.to_string_lossy())))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // A file, not a pipe: a talkative program must not wait for us to read.
            .stderr(messages_file)
            .spawn()
            .map_err(|error| self.failed(error))?;
        match self.wait(&mut child)? {
            status if status.success() => Ok(()),
            status => {
                let said = std::fs::read(messages).unwrap_or_default();
                let said: String =
                    String::from_utf8_lossy(&said).trim().chars().take(200).collect();
                Err(self.failed(format!("{status}: {said}")))
            }
        }
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, CameraError> {
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().map_err(|error| self.failed(error))? {
                return Ok(status);
            }
            if begun.elapsed() >= self.time_max {
                // It may have ended in this very moment; then there is nothing to kill.
                child.kill().or_else(|_| child.try_wait().map(|_| ())).ok();
                child.wait().map_err(|error| self.failed(error))?;
                return Err(CameraError::TimedOut {
                    device: self.program.clone(),
                    after: self.time_max,
                });
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Camera for CommandCamera {
    fn describe(&self) -> String {
        format!("command {}", self.program)
    }

    fn capture(&mut self) -> Result<Vec<u8>, CameraError> {
        let folder = tempfile::tempdir().map_err(|error| self.failed(error))?;
        let photo = folder.path().join("photo.jpg");
        self.run(&photo, &folder.path().join("messages"))?;
        if !photo.is_file() {
            return Err(self.failed("it ended well but wrote no file"));
        }
        read_photo(&photo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn the_file_the_command_wrote_comes_back_and_only_ours_is_removed() {
        let mut original = tempfile::NamedTempFile::new().unwrap();
        original.write_all(b"\xFF\xD8 as the sensor gave it").unwrap();
        let template = format!("cp {} {{file}}", original.path().display());
        let mut camera = CommandCamera::parse(&template, LONG).unwrap();
        assert_eq!(camera.capture().unwrap(), b"\xFF\xD8 as the sensor gave it");
        assert!(original.path().is_file());
        assert_eq!(camera.describe(), "command cp");
    }

    #[test]
    fn a_failing_command_says_what_it_said() {
        let mut camera = CommandCamera::parse("cp /nowhere/at/all {file}", LONG).unwrap();
        let error = camera.capture().unwrap_err().to_string();
        assert!(error.contains("cp") && error.contains("/nowhere/at/all"), "{error}");
        let mut camera = CommandCamera::parse("true {file}", LONG).unwrap();
        assert!(camera.capture().unwrap_err().to_string().contains("wrote no file"));
        let mut camera = CommandCamera::parse("no-such-program-here {file}", LONG).unwrap();
        assert!(matches!(camera.capture(), Err(CameraError::Command { .. })));
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let mut camera = CommandCamera::parse("tail -f /dev/null {file}", Duration::ZERO).unwrap();
        assert!(matches!(camera.capture(), Err(CameraError::TimedOut { .. })));
    }

    #[test]
    fn a_template_without_a_place_for_the_file_is_refused() {
        assert!(CommandCamera::parse("libcamera-still", LONG).is_err());
        assert!(CommandCamera::parse("", LONG).is_err());
    }
}
