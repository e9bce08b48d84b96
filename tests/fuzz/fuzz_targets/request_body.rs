#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ledgerline::fuzzing::request_body(data));
