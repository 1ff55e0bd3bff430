import { statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'

const mebibyte = 1024 * 1024

/** PostgreSQL's settings for this machine's memory and for the disk of this folder: as in production, durable. */
export async function defaultSettings(dataDir: string): Promise<Record<string, string>> {
  const disk = await statfs(dataDir)
  const memoryMb = Math.min(totalmem(), process.constrainedMemory() || totalmem()) / mebibyte
  const diskFreeMb = (disk.bavail * disk.bsize) / mebibyte
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    shared_buffers: `${between(128, memoryMb / 4, 4096)}MB`,
    wal_buffers: '16MB',
    // The more WAL between checkpoints, the fewer full page images; but never more than a quarter of what is free.
    max_wal_size: `${between(256, diskFreeMb / 4, 16_384)}MB`,
    checkpoint_timeout: '15min',
    wal_compression: 'off',
    max_connections: '100',
    client_connection_check_interval: '1s',
    lc_messages: 'C',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A statement's text or parameters in the log could carry what must not be there.
    log_min_error_statement: 'panic',
    log_parameter_max_length_on_error: '0',
  }
}

const between = (least: number, wanted: number, most: number): number =>
  Math.floor(Math.max(least, Math.min(wanted, most)))
