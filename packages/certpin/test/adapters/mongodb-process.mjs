// A program that is refused, and closes nothing itself: it is to end by itself. What it connects to stands in its argument.
import { MongoClient } from 'mongodb';
import { connectMongodb, pinnedMongodb, pinnedMongodbForward } from '../../src/adapters/mongodb.ts';

const { way, url, policy } = JSON.parse(process.argv[2]);
const args = way === 'seen' ? pinnedMongodb(url, policy) : (await pinnedMongodbForward(url, policy)).args;
await connectMongodb(new MongoClient(...args)).catch(({ code }) => console.log(code));
const refused = performance.now();
process.once('exit', () => console.log(performance.now() - refused < 1_000 ? 'at once' : 'late'));
