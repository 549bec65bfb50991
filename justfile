# The things people do here. Each line is a command that also runs by itself.

# List the recipes.
default:
    @just --list --unsorted

# Does it compile, tests included?
check:
    cargo check --tests

# The tests of one room, unoptimised: `just room plan::`.
room filter:
    CARGO_PROFILE_TEST_OPT_LEVEL=0 cargo test --lib {{filter}}

# All tests, as the README says.
test:
    cargo test

# What a commit must pass beside the tests.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# Play one seed-drawn campaign of the simulation: `just soak 30000`.
soak seeds="2000":
    cargo run --release --example soak -- {{seeds}}

# Plant faults and see that the tests find them: `just planted 117 118`, or all.
planted *names:
    tests/planted/run {{names}}

# Try a manifest on the emulator: `just try plan`.
try +words:
    cargo run --release -- {{words}} --sandbox

# What a release has for this machine: archive, .deb, .rpm, bill of materials.
release-files:
    deploy/release/build

# Everything CI runs.
ci:
    .ci/run
