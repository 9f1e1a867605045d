//! Once the officers' PINs hold the data key, nothing else opens the store after a reboot, and the
//! first unlock of a boot opens it for the night.

use std::fs;
use std::sync::Arc;

use sync_model::cose::{Signer, SoftwareKey};

use super::world::{World, lead, officer};
use crate::disk::RealDisk;
use crate::error::{Outcome, StoreError};
use crate::key::{Hardness, SealedKey};
use crate::store::Store;
use crate::vault::{NoHardware, Vault, first_unlock};

const EASY: Hardness = Hardness::REHEARSAL;
const PINS: [&str; 2] = ["275910", "806153"];

/// Two activated officers, as version 0.1 left them.
fn activated() -> World {
    let world = World::enrolled();
    world.act(lead("x"));
    for (number, pin) in (1..).zip(PINS) {
        let key = SoftwareKey::from_secret(&[u8::try_from(number).unwrap(); 32]);
        let sealed = SealedKey::seal(&key, pin, officer(number).as_bytes(), EASY).unwrap();
        world.store().keep_sealed_key(officer(number), &sealed).unwrap();
    }
    world
}

fn lay(store: &Store, number: u128) {
    let row = store.read(|r| r.officer(officer(number))).unwrap().unwrap();
    let pin = PINS[usize::try_from(number - 1).unwrap()];
    let key = row.sealed_key.unwrap().open(pin, officer(number).as_bytes()).unwrap().unwrap();
    store.lay_under_pin(officer(number), pin, &key, EASY, &NoHardware).unwrap();
}

#[test]
fn the_device_slot_goes_with_the_last_officer_and_then_only_a_pin_opens() {
    let mut world = activated();
    lay(world.store(), 1);
    // The second officer could not get in yet: the device still opens.
    assert!(world.store().vault().is_open_to_the_device());
    lay(world.store(), 2);
    assert!(!world.store().vault().is_open_to_the_device());
    world.close();
    for _ in 0..2 {
        let error = world.open_with(Arc::new(RealDisk)).err().unwrap();
        assert!(matches!(error, StoreError::Locked), "{error}");
        assert_eq!(error.outcome(), Outcome::Fixable);
    }
    for (number, pin) in (1..).zip(PINS) {
        let vault = Vault::read(world.path()).unwrap().unwrap();
        let wrong = vault.open_by_pin(officer(number), "864209", EASY, &NoHardware).unwrap();
        assert!(wrong.is_none());
        let opened = vault.open_by_pin(officer(number), pin, EASY, &NoHardware).unwrap().unwrap();
        let own = SoftwareKey::from_secret(&[u8::try_from(number).unwrap(); 32]);
        assert_eq!(opened.officer_key.public(), own.public());
        let (clock, disk) = (world.clock.clone(), Arc::new(RealDisk));
        let store = Store::open_with(world.path(), clock, disk, opened.data_key).unwrap();
        assert_eq!(store.check_chain().unwrap(), 1);
    }
}

#[test]
fn after_the_first_unlock_of_a_boot_the_night_opens_without_a_pin() {
    let mut world = activated();
    lay(world.store(), 1);
    lay(world.store(), 2);
    let name = world.store().vault().name();
    if let Err(error) = world.store().keep_for_the_night() {
        println!("absent: a kernel keyring ({error}); not tried");
        return;
    }
    world.close();
    assert_eq!(world.open_with(Arc::new(RealDisk)).unwrap().check_chain().unwrap(), 1);
    // A reboot forgets it.
    first_unlock::forget(name);
    assert!(matches!(world.open_with(Arc::new(RealDisk)), Err(StoreError::Locked)));
    let store_files = fs::read_dir(world.path()).unwrap().count();
    assert!(store_files > 0, "nothing was lost");
}
