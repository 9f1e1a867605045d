//! What the machine gives at most: the same bytes inserted bare, the same signatures checked bare,
//! the same files copied over plain TCP and synced.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

use ed25519_dalek::{Signature, Signer, SigningKey};
use rusqlite::Connection;
use sync_core::random;

/// Returns the seconds that bare SQLite takes to insert `count` rows of `bytes` bytes, 500 a commit.
pub(crate) fn insert_s(path: &Path, count: usize, bytes: usize) -> anyhow::Result<f64> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE record (seq INTEGER PRIMARY KEY, bytes BLOB) STRICT")?;
    let row = vec![7_u8; bytes];
    let began = Instant::now();
    let mut left = count;
    while left > 0 {
        let batch = left.min(500);
        let tx = connection.transaction()?;
        for _ in 0..batch {
            tx.prepare_cached("INSERT INTO record (bytes) VALUES (?1)")?.execute([&row])?;
        }
        tx.commit()?;
        left -= batch;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Returns the seconds that one core takes to check `count` signatures strictly.
pub(crate) fn verify_s(count: usize, bytes: usize) -> anyhow::Result<f64> {
    let key = SigningKey::from_bytes(&random::bytes());
    let message = vec![7_u8; bytes];
    let signature: Signature = key.sign(&message);
    let public = key.verifying_key();
    let began = Instant::now();
    for _ in 0..count {
        public.verify_strict(&message, &signature)?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Returns the seconds to send `count` files of `bytes` bytes over one plain connection to a
/// receiver that syncs each of them.
pub(crate) fn copy_s(folder: &Path, count: usize, bytes: usize) -> anyhow::Result<f64> {
    std::fs::create_dir_all(folder)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let target = folder.to_owned();
    let began = Instant::now();
    let receiver = std::thread::spawn(move || -> anyhow::Result<()> {
        let (mut stream, _) = listener.accept()?;
        let mut file = vec![0; bytes];
        for number in 0..count {
            stream.read_exact(&mut file)?;
            let mut out = std::fs::File::create(target.join(number.to_string()))?;
            out.write_all(&file)?;
            out.sync_all()?;
            stream.write_all(&[1])?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (file, mut held) = (vec![7_u8; bytes], [0]);
    for _ in 0..count {
        stream.write_all(&file)?;
        stream.read_exact(&mut held)?;
    }
    receiver.join().map_err(|_| anyhow::anyhow!("the receiver panicked"))??;
    Ok(began.elapsed().as_secs_f64())
}
