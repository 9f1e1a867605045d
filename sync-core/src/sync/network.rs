//! What kind of network this is: said by a setting, by NetworkManager, or read off the interface.
//!
//! NetworkManager says whether a connection is metered only over D-Bus. Its state files under /run
//! do not hold it and its profiles can be read by root alone. `busctl` is part of systemd, which
//! every device has that has the nightly timer; running it every half minute is cheaper to keep
//! right than a D-Bus library or a private dialect of its protocol. A device without either is told
//! by the file `network` in its data folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sync_model::wire::policy::NetworkKind;

/// How long a judgement holds. A round asks before each request.
const HOLDS: Duration = Duration::from_secs(30);
/// Most bytes of a tool's answer that are looked at.
const ANSWER_MAX: usize = 256 * 1024;

/// Says what kind of network this is.
pub trait Network: Send + Sync {
    /// Returns the kind as of now; may ask the system and take seconds.
    fn kind(&self) -> NetworkKind;

    /// Returns the kind as last found, at once.
    fn known(&self) -> NetworkKind {
        self.kind()
    }
}

impl Network for NetworkKind {
    fn kind(&self) -> NetworkKind {
        *self
    }
}

/// A file with one word: `unmetered`, `metered`, `roaming`, `dock` or `unknown`. For devices whose
/// system knows better than this program, and for tests.
pub struct NetworkFile(pub PathBuf);

impl NetworkFile {
    /// Returns what the file says, if it is there and says something known.
    #[must_use]
    pub fn said(&self) -> Option<NetworkKind> {
        let text = fs::read_to_string(&self.0).ok()?;
        match text.trim() {
            "unmetered" => Some(NetworkKind::Unmetered),
            "metered" => Some(NetworkKind::Metered),
            "roaming" => Some(NetworkKind::Roaming),
            "dock" => Some(NetworkKind::Dock),
            "unknown" => Some(NetworkKind::Unknown),
            _ => None,
        }
    }
}

impl Network for NetworkFile {
    fn kind(&self) -> NetworkKind {
        self.said().unwrap_or(NetworkKind::Unknown)
    }
}

/// The machine's network.
pub struct SystemNetwork {
    setting: NetworkFile,
    last: Mutex<Option<(Instant, NetworkKind)>>,
}

impl SystemNetwork {
    /// Returns the machine's network; the setting lies in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { setting: NetworkFile(folder.join("network")), last: Mutex::new(None) }
    }
}

impl Network for SystemNetwork {
    fn kind(&self) -> NetworkKind {
        if let Some(said) = self.setting.said() {
            return said;
        }
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, kind)) = last
            && at.elapsed() < HOLDS
        {
            return kind;
        }
        // No lock is held over the question: a page may want to know meanwhile.
        let kind = ask_system();
        let now = Some((Instant::now(), kind));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = now;
        kind
    }

    fn known(&self) -> NetworkKind {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.map_or(NetworkKind::Unknown, |(_, kind)| kind);
        self.setting.said().unwrap_or(last)
    }
}

fn ask_system() -> NetworkKind {
    let interface = default_interface(Path::new("/proc/net"));
    let link = interface.map_or(Link::Other, |name| link(Path::new("/sys/class/net"), &name));
    if link == Link::Cellular && modems().is_some_and(|text| is_roaming(&text)) {
        return NetworkKind::Roaming;
    }
    match manager_says().as_deref().and_then(metered) {
        Some(true) => NetworkKind::Metered,
        Some(false) if link == Link::Cable => NetworkKind::Dock,
        Some(false) => NetworkKind::Unmetered,
        None => match link {
            Link::Cellular => NetworkKind::Metered,
            Link::Cable => NetworkKind::Dock,
            Link::Other => NetworkKind::Unknown,
        },
    }
}

/// What an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Cellular,
    Cable,
    Other,
}

/// Returns the interface of the default route.
fn default_interface(net: &Path) -> Option<String> {
    let v4 = fs::read_to_string(net.join("route")).unwrap_or_default();
    let v4 = v4.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (name, to) = (words.next()?, words.next()?);
        (to == "00000000").then(|| name.to_owned())
    });
    v4.or_else(|| {
        let v6 = fs::read_to_string(net.join("ipv6_route")).unwrap_or_default();
        v6.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let to_all =
                words.first()?.bytes().all(|digit| digit == b'0') && words.get(1)? == &"00";
            words.last().filter(|name| to_all && **name != "lo").map(|name| (*name).to_owned())
        })
    })
}

fn link(class: &Path, name: &str) -> Link {
    let folder = class.join(name);
    let uevent = fs::read_to_string(folder.join("uevent")).unwrap_or_default();
    let is_modem = uevent.lines().any(|line| line == "DEVTYPE=wwan")
        || ["ww", "ppp", "rmnet"].iter().any(|prefix| name.starts_with(prefix));
    if is_modem {
        Link::Cellular
    } else if ["en", "eth"].iter().any(|prefix| name.starts_with(prefix))
        && folder.join("device").exists()
        && !folder.join("wireless").exists()
    {
        Link::Cable
    } else {
        Link::Other
    }
}

/// Asks NetworkManager for its judgement on the default connection.
fn manager_says() -> Option<String> {
    let name = "org.freedesktop.NetworkManager";
    busctl(&["get-property", name, "/org/freedesktop/NetworkManager", name, "Metered"])
}

/// Reads `NMMetered`: 1 yes, 2 no, 3 and 4 the same as guesses.
fn metered(answer: &str) -> Option<bool> {
    match answer.trim() {
        "u 1" | "u 3" => Some(true),
        "u 2" | "u 4" => Some(false),
        _ => None,
    }
}

fn modems() -> Option<String> {
    let (name, path) = ("org.freedesktop.ModemManager1", "/org/freedesktop/ModemManager1");
    busctl(&["call", name, path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"])
}

/// Finds `MMModem3gppRegistrationState` 5, 7 or 10: registered with a foreign operator.
fn is_roaming(answer: &str) -> bool {
    answer.split("\"RegistrationState\" u ").skip(1).any(|rest| {
        let state: String = rest.chars().take_while(char::is_ascii_digit).collect();
        matches!(state.as_str(), "5" | "7" | "10")
    })
}

fn busctl(words: &[&str]) -> Option<String> {
    let output = Command::new("busctl")
        .args(["--system", "--timeout=2", "--auto-start=no"])
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let answer = output.stdout.get(..ANSWER_MAX).unwrap_or(&output.stdout);
    output.status.success().then(|| String::from_utf8_lossy(answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) {
        use std::io::Write;
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_setting_is_believed_and_nonsense_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = NetworkFile(folder.path().join("network"));
        assert_eq!(file.said(), None);
        put(&file.0, "metered\n");
        assert_eq!(file.said(), Some(NetworkKind::Metered));
        let system = SystemNetwork::new(folder.path());
        assert_eq!((system.kind(), system.known()), (NetworkKind::Metered, NetworkKind::Metered));
        put(&file.0, "free beer");
        assert_eq!((file.said(), file.kind()), (None, NetworkKind::Unknown));
        assert_eq!(system.known(), NetworkKind::Unknown, "nobody has asked the system yet");
        assert_eq!(system.kind(), system.known(), "what a round finds, a page knows");
    }

    #[test]
    fn the_default_route_and_its_kind_are_read_off_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let (net, class) = (folder.path().join("net"), folder.path().join("class"));
        assert_eq!(default_interface(&net), None);
        put(
            &net.join("ipv6_route"),
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
             fe800000000000000000000000000001 00000400 00000003 00000000 00450003 wwan0\n",
        );
        assert_eq!(default_interface(&net).as_deref(), Some("wwan0"));
        put(
            &net.join("route"),
            "Iface\tDestination\tGateway\neth0\t0000A8C0\t00000000\neth1\t00000000\t0100A8C0\n",
        );
        assert_eq!(default_interface(&net).as_deref(), Some("eth1"));
        put(&class.join("wwan0/uevent"), "DEVTYPE=wwan\nINTERFACE=wwan0\n");
        put(&class.join("eth1/device/vendor"), "0x1234");
        put(&class.join("wlan0/uevent"), "DEVTYPE=wlan\n");
        assert_eq!(link(&class, "wwan0"), Link::Cellular);
        assert_eq!(link(&class, "ppp0"), Link::Cellular);
        assert_eq!(link(&class, "eth1"), Link::Cable);
        assert_eq!(link(&class, "eth0"), Link::Other, "a bridge or a container's end");
        assert_eq!(link(&class, "wlan0"), Link::Other);
    }

    #[test]
    fn answers_of_the_bus_are_understood() {
        assert_eq!(metered("u 1\n"), Some(true));
        assert_eq!(metered("u 4\n"), Some(false));
        assert_eq!(metered("u 0\n"), None);
        let modem = r#"a{oa{sa{sv}}} 1 "/org/freedesktop/ModemManager1/Modem/3" 2 "org.freedesktop.ModemManager1.Modem.Modem3gpp" 2 "OperatorCode" s "46001" "RegistrationState" u "#;
        assert!(is_roaming(&format!("{modem}5 \"Imei\" s \"\"")));
        assert!(!is_roaming(&format!("{modem}1 \"Imei\" s \"\"")));
        assert!(!is_roaming(""));
    }
}
