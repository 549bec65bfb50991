//! A secret as it is read.

use secrecy::ExposeSecret as _;

use super::super::secret::SecretSource;
use super::Environment;

#[test]
fn a_secret_in_a_file_is_read_without_its_line_break_and_within_a_limit() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("token");
    let (source, environment) = (SecretSource::File(place.clone()), Environment::default());
    std::fs::write(&place, "canary\n").unwrap();
    assert_eq!(source.read(&environment).unwrap().expose_secret(), "canary");
    std::fs::write(&place, "\n").unwrap();
    assert!(source.read(&environment).unwrap_err().contains("is empty"));
    std::fs::write(&place, "canary".repeat(20_000)).unwrap();
    let error = source.read(&environment).unwrap_err();
    assert!(error.contains("longer than") && !error.contains("canary"));
}
