import * as core from 'certpin';
import * as axios from 'certpin/axios';
import * as https from 'certpin/https';
import * as mariadb from 'certpin/mariadb';
import * as mysql from 'certpin/mysql';
import * as mysql2 from 'certpin/mysql2';
import * as pg from 'certpin/pg';
import * as postgres from 'certpin/postgres';
import * as undici from 'certpin/undici';
import { expect, test, vi } from 'vitest';
import suite from './suite.cjs';

suite(
  { test, expect, timers: vi },
  { ...core, ...https, ...axios, ...undici, ...pg, ...postgres, ...mysql2, ...mysql, ...mariadb },
);
